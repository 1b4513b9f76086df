"""Frames come out as they went in: all of them, upright, at their times, up to where a file breaks."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from moving import draw_people, write_video

from affect.inference.videos import Every, UnusableVideoError, Video

LIMIT = 10_000_000
# Uneven, as telephones record.
TIMES = [0.0, 0.04, 0.05, 0.3, 0.31, 0.5, 1.2, 1.25, 1.9, 2.0]
# In a file's header: where to turn the picture, as 16.16 fixed-point numbers.
UPRIGHT, TURNED = (
    b"".join(number.to_bytes(4, "big", signed=True) for number in matrix)
    for matrix in (
        (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30),
        (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30),
    )
)


ALL = Every()


def read(file: Path, every: Every = ALL, after: int = -1) -> list[tuple[int, float]]:
    with Video(file, LIMIT) as video:
        return [(frame.number, frame.time) for frame in video.frames(every, after)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "even.mp4", draw_people(30))
    write_video(folder / "uneven.mkv", draw_people(len(TIMES)), TIMES)
    write_video(folder / "old.avi", draw_people(30), codec="mjpeg")
    return folder


@pytest.mark.parametrize("name", ["even.mp4", "old.avi"])
def test_each_frame_is_read(folder: Path, name: str) -> None:
    assert read(folder / name) == [(number, pytest.approx(number / 25)) for number in range(30)]
    with Video(folder / name, LIMIT) as video:
        assert video.count(Every()) == 30
        for frame, drawn in zip(video.frames(Every()), draw_people(30), strict=True):
            assert np.abs(frame.image.astype(int) - drawn).mean() < 5
        assert video.fault is None


def test_uneven_times_are_true(folder: Path) -> None:
    assert read(folder / "uneven.mkv") == [(number, pytest.approx(time)) for number, time in enumerate(TIMES)]


def test_some_frames_are_taken(folder: Path) -> None:
    assert [number for number, _ in read(folder / "even.mp4", Every(frames=7))] == [0, 7, 14, 21, 28]
    assert [number for number, _ in read(folder / "even.mp4", Every(seconds=0.5))] == [0, 13, 25]
    assert [number for number, _ in read(folder / "uneven.mkv", Every(seconds=0.5))] == [0, 5, 6, 8, 9]
    assert [number for number, _ in read(folder / "uneven.mkv", Every(seconds=0.5), after=5)] == [6, 8, 9]


@pytest.mark.parametrize("text", ["0", "-1", "0s", "nans", "infs", "many", "", "s", "1.5"])
def test_what_says_no_frames_is_refused(text: str) -> None:
    assert Every.parse("5") == Every(frames=5)
    assert Every.parse("0.2s") == Every(seconds=0.2)
    with pytest.raises(ArgumentTypeError, match="neither a number of frames, as 5, nor of"):
        Every.parse(text)


def test_a_picture_is_turned_as_the_file_says(folder: Path) -> None:
    content = (folder / "even.mp4").read_bytes()
    assert content.count(UPRIGHT) == 2, "that of the file, and that of its only track"
    before, middle, after = content.split(UPRIGHT)
    (folder / "turned.mp4").write_bytes(before + UPRIGHT + middle + TURNED + after)
    with Video(folder / "turned.mp4", LIMIT) as video:
        frame = next(video.frames(Every()))
    clockwise = np.rot90(next(draw_people(1)), -1)
    assert np.abs(frame.image.astype(int) - clockwise).mean() < 5


def test_a_broken_end_loses_only_that_end(folder: Path) -> None:
    content = (folder / "uneven.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(content[: int(0.7 * len(content))])
    with Video(folder / "cut.mkv", LIMIT) as video:
        times = [frame.time for frame in video.frames(Every())]
        assert 2 < len(times) < len(TIMES)
        assert times == pytest.approx(TIMES[: len(times)])
        assert video.fault is not None
        assert video.fault.startswith(f"ends after {times[-1]:.1f} s, ")


def test_damage_inside_is_said(folder: Path) -> None:
    content = bytearray((folder / "old.avi").read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    (folder / "holes.avi").write_bytes(content)
    with Video(folder / "holes.avi", LIMIT) as video:
        assert 5 < len(list(video.frames(Every()))) < 30
        assert video.fault is not None


def test_what_is_no_video_is_refused(folder: Path) -> None:
    (folder / "text.mp4").write_text("no video")
    (folder / "empty.mp4").touch()
    (folder / "folder.mp4").mkdir()
    (folder / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{folder / 'even.mp4'}\n#EXT-X-ENDLIST\n")
    (folder / "headless.mp4").write_bytes((folder / "even.mp4").read_bytes()[:2000])
    for name in ("text.mp4", "empty.mp4", "folder.mp4", "list.mp4", "headless.mp4", "missing.mp4"):
        with pytest.raises(UnusableVideoError, match="not a"):
            read(folder / name)
    with av.open(folder / "sound.mp4", "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(UnusableVideoError, match="has no picture"):
        read(folder / "sound.mp4")
    with pytest.raises(UnusableVideoError, match="is 480x256, over 1000 pixels"):
        Video(folder / "even.mp4", 1000)


def rewrite(source: Path, target: Path, times: Sequence[int], sound: bool = False, seconds: int = 0) -> None:
    """Copy a video's packets with other times, in milliseconds, beside silence of some seconds."""
    with av.open(source) as given, av.open(target, "w") as written:
        stream = written.add_stream_from_template(given.streams.video[0])
        if sound:
            silence = written.add_stream("aac", rate=8000)
            assert isinstance(silence, av.AudioStream)
            for number in range(seconds * 8000 // 1024):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts = 8000, 1024 * number
                written.mux(silence.encode(frame))
        for packet, time in zip(given.demux(given.streams.video[0]), times, strict=False):
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 1000), time, time
            written.mux(packet)


def test_times_that_begin_anew_go_on(folder: Path) -> None:
    """As of two recordings that were joined."""
    write_video(folder / "joined.mpg", draw_people(60), codec="mpeg2video")
    content = (folder / "joined.mpg").read_bytes()
    (folder / "joined.mpg").write_bytes(content + content)
    times = [time for _, time in read(folder / "joined.mpg")]
    assert len(times) > 100
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(len(times) / 25, abs=0.2)
    taken = [time for _, time in read(folder / "joined.mpg", Every(seconds=0.5))]
    assert len(taken) == pytest.approx(len(times) / 12.5, abs=2)


def test_a_late_start_is_no_missing_end(folder: Path) -> None:
    rewrite(folder / "old.avi", folder / "late.mkv", [100_000 + 40 * number for number in range(30)])
    with Video(folder / "late.mkv", LIMIT) as video:
        assert [frame.time for frame in video.frames(ALL)] == pytest.approx([number / 25 for number in range(30)])
        assert video.fault is None


def test_of_a_file_with_sound_a_broken_end_is_told_too(folder: Path) -> None:
    rewrite(folder / "old.avi", folder / "sound.mkv", [200 * number for number in range(30)], sound=True, seconds=6)
    content = (folder / "sound.mkv").read_bytes()
    (folder / "cut_sound.mkv").write_bytes(content[: len(content) // 2])
    for name, is_whole in (("sound.mkv", True), ("cut_sound.mkv", False)):
        with Video(folder / name, LIMIT) as video:
            assert len(list(video.frames(ALL))) > 5
            assert (video.fault is None) == is_whole, video.fault


def test_what_no_decoder_knows_is_refused(folder: Path) -> None:
    (folder / "unknown.mp4").write_bytes((folder / "even.mp4").read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(UnusableVideoError, match="has a picture that FFmpeg can't decode"):
        read(folder / "unknown.mp4")


def test_a_text_that_names_files_opens_none(folder: Path) -> None:
    (folder / "list.mp4").write_text(f"ffconcat version 1.0\nfile {folder / 'even.mp4'}\n")
    with pytest.raises(UnusableVideoError):
        read(folder / "list.mp4")
