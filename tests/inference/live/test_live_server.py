"""The page shows what the camera sees, to whoever may see it, and nothing is left of it."""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import numpy as np
import pytest
import simplejpeg
from conftest import run_in_process, snapshot
from moving import HEIGHT, WIDTH, draw_people, write_video
from tiny_network import save_network

import live
from affect.core.labels import EXPRESSIONS
from affect.core.opencv import cv2
from affect.inference import FacePredictor
from affect.inference.live import Moment, Newest, open_camera, serve, watch
from affect.inference.live.watching import Watcher
from affect.inference.overlays.drawing import MIN_SIDE
from affect.inference.videos.reading import Frame
from affect.plumbing.errors import InputError
from affect.plumbing.stage import INTERRUPTED, run_command

SIZE, PEOPLE = 32, 2
ANY_ADDRESS = "0.0.0.0"


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> FacePredictor:
    return FacePredictor(save_network(tmp_path_factory.mktemp("model") / "face.keras", ("valence", "arousal")))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("video") / "people.mp4"
    write_video(file, draw_people(10, PEOPLE))
    return file


@dataclass
class Running:
    """A server at work."""

    url: str

    def get(self, path: str, **headers: str) -> HTTPResponse:
        address = urlsplit(self.url)
        connection = HTTPConnection("127.0.0.1", address.port or 0, timeout=10)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def status(self, path: str, **headers: str) -> int:
        response = self.get(path, **headers)
        response.close()
        return response.status


@contextmanager
def run(predictor: FacePredictor, video: Path, host: str = "127.0.0.1") -> Iterator[Running]:
    shown = Newest[Moment]()
    with open_camera(str(video)) as frames, serve(shown, host, 0) as url:
        thread = Thread(target=watch, args=(predictor, frames, shown))
        thread.start()
        try:
            yield Running(url)
        finally:
            frames.close()
            thread.join()


@pytest.fixture(scope="module")
def running(predictor: FacePredictor, video: Path) -> Iterator[Running]:
    with run(predictor, video) as server:
        yield server


def read_picture(response: HTTPResponse) -> np.ndarray:
    assert response.readline() == b"--picture\r\n"
    assert response.readline() == b"Content-Type: image/jpeg\r\n"
    length = int(response.readline().removeprefix(b"Content-Length: "))
    assert response.readline() == b"\r\n"
    image = simplejpeg.decode_jpeg(response.read(length))
    assert response.readline() == b"\r\n"
    return image


def read_values(response: HTTPResponse) -> dict:
    line = b""
    while not line.startswith(b"data: "):
        line = response.readline()
    return json.loads(line.removeprefix(b"data: "))


def test_the_page_runs_nothing_but_its_own_script(running: Running) -> None:
    response = running.get("/")
    page = response.read().decode()
    assert response.status == 200
    assert "No picture is stored or leaves this machine." in page
    assert "://" not in page
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_the_stream_is_of_pictures_with_faces_drawn_on(running: Running) -> None:
    response = running.get("/stream")
    assert response.headers.get_content_type() == "multipart/x-mixed-replace"
    times = -(-MIN_SIDE // HEIGHT)
    pictures = [read_picture(response) for _ in range(3)]
    response.close()
    assert {image.shape for image in pictures} == {(times * HEIGHT, times * WIDTH, 3)}
    assert all(np.ptp(image[: 20 * times].astype(int), axis=2).max() < 20 for image in pictures)
    assert all(np.ptp(image.astype(int), axis=2).max() > 60 for image in pictures)


def test_values_are_those_of_each_face(running: Running) -> None:
    response = running.get("/values")
    for _ in range(3):
        moment = read_values(response)
    response.close()
    assert [face["face"] for face in moment["faces"]] == list(range(1, PEOPLE + 1))
    assert moment["delay_ms"] >= 0
    assert moment["read_per_second"] >= moment["predicted_per_second"] > 0
    for face in moment["faces"]:
        assert list(face["probabilities"]) == list(EXPRESSIONS)
        assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert face["expression"] == max(face["probabilities"], key=face["probabilities"].__getitem__)
        assert all(-1 <= face[task] <= 1 for task in ("valence", "arousal"))


@pytest.mark.parametrize("path", ["/", "/stream", "/values", "/nothing"])
def test_a_request_for_another_host_is_refused(running: Running, path: str) -> None:
    for host in ("evil.example", "evil.example:8350", "127.0.0.1.evil.example", "[", ""):
        assert running.status(path, Host=host) == 403
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:9000", "[::1]:80"):
        assert running.status(path, Host=host) == (404 if path == "/nothing" else 200)


def test_only_what_there_is_can_be_got(running: Running) -> None:
    for path in ("/favicon.ico", "/page.html", "/../server.py", "//stream/", "/stream/"):
        assert running.status(path) == 404
    connection = HTTPConnection("127.0.0.1", urlsplit(running.url).port or 0, timeout=10)
    connection.request("POST", "/", b"x")
    assert connection.getresponse().status == 501
    connection.close()


def test_where_others_come_in_each_request_needs_the_token(predictor: FacePredictor, video: Path) -> None:
    with run(predictor, video, ANY_ADDRESS) as server:
        query = urlsplit(server.url).query
        assert query.startswith("token=")
        assert len(query) > 30
        for path in ("/", "/stream", "/values", "/nothing"):
            for wrong in ("", "?", "?token=", f"?{query}x", f"?{query[:-1]}", "?token=%C3%A9", f"?x={query[6:]}"):
                assert server.status(path + wrong) == 403
            assert server.status(f"{path}?{query}", Host="a.name") == (404 if path == "/nothing" else 200)
        assert b"leaves this machine" not in server.get(f"/?{query}").read()


def test_it_ends_with_its_threads_and_writes_nothing(
    predictor: FacePredictor, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    watched, written = True, []

    def note(event: str, arguments: tuple) -> None:
        if watched and event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            written.append(arguments)

    sys.addaudithook(note)
    before = set(threading.enumerate())
    with run(predictor, video) as server:
        port = urlsplit(server.url).port or 0
        goes_away, never_reads, says_nothing = (socket.create_connection(("127.0.0.1", port)) for _ in range(3))
        goes_away.sendall(b"GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n")
        goes_away.recv(100)
        goes_away.close()
        never_reads.sendall(b"GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n")
        response = server.get("/stream")
        for _ in range(3):
            read_picture(response)
        ended = time.monotonic()
    watched = False
    assert time.monotonic() - ended < 3
    response.read()
    for connection in (never_reads, says_nothing):
        connection.close()
    assert set(threading.enumerate()) <= before
    assert not written
    assert not snapshot(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_goes_away_leaves_no_thread(running: Running) -> None:
    before = set(threading.enumerate())
    for path in ("/stream", "/values"):
        response = running.get(path)
        response.readline()
        response.close()
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(threading.enumerate()) <= before


def test_a_camera_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    for number in ("99", "123456789012"):
        line = f"live: camera {number} is not there, or another program has it"
        assert run_in_process(live, "face.keras", "--camera", number, "--port", "0") == line
    for file, reason in {
        "none.mp4": "not a file",
        "text.mp4": "not a video that can be read (Invalid data found when processing input)",
        "-1": "not a file",
    }.items():
        assert run_in_process(live, "face.keras", f"--camera={file}", "--port", "0") == f"live: {file}: {reason}"
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_it_after_the_address_is_said(
    predictor: FacePredictor, video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(live, "watch", interrupt)
    monkeypatch.setattr(live, "FacePredictor", lambda model: predictor)
    monkeypatch.setattr("sys.argv", ["live.py", "face.onnx", "--camera", str(video), "--port", "0"])
    before = set(threading.enumerate())
    with pytest.raises(SystemExit) as stopped:
        run_command(live.main)
    assert stopped.value.code == INTERRUPTED
    said = capsys.readouterr()
    assert re.fullmatch(r"live: http://127\.0\.0\.1:\d+/\n", said.out)
    assert said.err == "live: interrupted\n"
    assert set(threading.enumerate()) <= before


def test_a_camera_that_another_program_has_or_that_is_lost_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    class Capture:
        def __init__(self, number: int) -> None:
            self.left = number
            self.first = True

        def isOpened(self) -> bool:  # noqa: N802, OpenCV's name
            return True

        def read(self) -> tuple[bool, np.ndarray | None]:
            if not self.first:
                taken.wait(5)
            self.first = False
            self.left -= 1
            return self.left >= 0, np.full((4, 6, 3), (1, 2, 3), np.uint8) if self.left >= 0 else None

        def release(self) -> None:
            self.left = 0

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    with pytest.raises(InputError, match="camera 0 is not there, or another program has it"), open_camera("0"):
        pass
    with open_camera("3") as frames:
        _, frame = frames.take(0) or (0, None)
        assert frame is not None
        assert frame.image[0, 0].tolist() == [3, 2, 1]
        taken.set()
        with pytest.raises(InputError, match="camera 3 gives no more pictures"):
            frames.take(3)


def test_a_file_is_played_at_its_own_speed_again_and_again(tmp_path: Path) -> None:
    write_video(tmp_path / "short.mp4", draw_people(5))
    with open_camera(str(tmp_path / "short.mp4")) as frames:
        _, first = frames.take(0) or (0, None)
        begun, count, last = time.monotonic(), 0, first
        while time.monotonic() - begun < 0.8:
            count, last = frames.take(count) or (0, None)
    assert first is not None
    assert last is not None
    assert 10 <= last.number <= 1 + 25 * (last.time - first.time + 0.1)


def test_a_port_that_is_taken_and_a_host_that_is_not_are_one_line(running: Running) -> None:
    port = urlsplit(running.url).port or 0
    for host, number, reason in (("127.0.0.1", port, "Address already in use"), ("no host", 0, "")):
        with pytest.raises(InputError, match=f"port {number} of {host} can't be served: {reason}"):
            serve(Newest[Moment](), host, number).__enter__()


def test_values_are_smoothed_over_the_second_before(predictor: FacePredictor) -> None:
    watcher, plain = Watcher(predictor), []
    for number, image in enumerate(draw_people(6)):
        time = 0.4 * number
        (row,) = predictor.find_and_predict(image, whole=False)
        plain.append((time, row["predicted_valence"]))
        (face,) = json.loads(watcher.look(Frame(number, time, image)).values)["faces"]
        assert face["face"] == 1
        assert face["valence"] == pytest.approx(
            np.mean([value for before, value in plain if before >= time - 1]), abs=1e-5
        )


def test_what_a_network_did_not_learn_is_unknown(tmp_path: Path) -> None:
    watcher = Watcher(FacePredictor(save_network(tmp_path / "emotion.keras", ("valence",))))
    (image,) = draw_people(1)
    (face,) = json.loads(watcher.look(Frame(1, 0.0, image)).values)["faces"]
    assert face["arousal"] is None
    empty = json.loads(watcher.look(Frame(2, 0.1, np.full_like(image, 150))).values)
    assert empty["faces"] == []
