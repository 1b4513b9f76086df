"""Predict a video of an hour: memory after a minute and after the hour, and the same rows after a kill at minute 20.

make test-hour
"""

import csv
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import psutil
from conftest import ROOT
from moving import draw_people, write_video

MINUTES, KILLED_AT, EVERY = 60, 20, 5
MAX_GROWTH = 0.05
MODEL = ROOT / "models" / "efficientnetb1.keras"


def main() -> None:
    """Run both, and say what came of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_video(folder / "minute.mp4", draw_people(25 * 60, people=2, width=640, height=480))
        repeat(folder / "minute.mp4", folder / "hour.mp4", MINUTES)
        script(folder, "export.py", MODEL, "--format", "onnx", "-o", "model.onnx").wait()
        first, last = watch_memory(folder)
        print(f"memory: {first:.0f} MB after a minute, {last:.0f} MB after {MINUTES}", flush=True)
        kill_and_resume(folder)
    if abs(last / first - 1) > MAX_GROWTH:
        sys.exit(f"memory differs by more than {MAX_GROWTH:.0%}")


def repeat(minute: Path, hour: Path, times: int) -> None:
    """Write a video that shows another so many times."""
    with av.open(hour, "w") as target:
        start = Fraction(0)
        stream = None
        for _ in range(times):
            with av.open(minute) as source:
                given = source.streams.video[0]
                stream = stream or target.add_stream_from_template(given)
                for packet in source.demux(given):
                    if packet.dts is not None:
                        assert packet.pts is not None
                        assert packet.time_base is not None
                        shift = round(start / packet.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        target.mux(packet)
                assert source.duration is not None
                start += Fraction(source.duration, av.time_base)


def script(folder: Path, name: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a script of the repository."""
    return subprocess.Popen([sys.executable, ROOT / "src" / name, *map(str, arguments)], cwd=folder)


def predict(folder: Path, table: str, *options: str) -> subprocess.Popen[bytes]:
    """Start predicting the hour."""
    return script(folder, "predict.py", "model.onnx", "hour.mp4", "-o", table, "--every", EVERY, *options)


def watch_memory(folder: Path) -> tuple[float, float]:
    """Predict the hour, and return the megabytes of the process after a minute of it and before its end."""
    process = predict(folder, "whole.csv")
    size = psutil.Process(process.pid).memory_info
    wait_for(folder / "whole.csv", 60)
    first = last = size().rss
    wait_for(folder / "whole.csv", 60 * MINUTES - 30)
    last = size().rss
    if process.wait():
        sys.exit("predict.py has failed")
    return first / 1e6, last / 1e6


def kill_and_resume(folder: Path) -> None:
    """Kill a run at minute 20, let another go on, and compare the tables."""
    process = predict(folder, "killed.csv")
    wait_for(folder / "killed.csv", 60 * KILLED_AT)
    process.kill()
    process.wait()
    rows = sum(1 for _ in (folder / "killed.csv").open())
    if predict(folder, "killed.csv", "--resume").wait():
        sys.exit("predict.py --resume has failed")
    if (folder / "killed.csv").read_bytes() != (folder / "whole.csv").read_bytes():
        sys.exit("the resumed table differs")
    print(f"killed after {rows} rows and resumed: the same {sum(1 for _ in (folder / 'whole.csv').open())} lines")


def wait_for(table: Path, seconds: float) -> None:
    """Wait until a table has a row of a time in the video."""
    while read_last_time(table) < seconds:
        time.sleep(0.2)


def read_last_time(table: Path) -> float:
    """Return the time of the last whole row but one, or 0."""
    if not table.is_file():
        return 0.0
    with table.open("rb") as opened:
        header = opened.readline().decode()
        opened.seek(max(len(header), table.stat().st_size - 4096))
        lines = opened.read().decode().splitlines()[1:-1]
    place = next(csv.reader([header or "time"])).index("time")
    return float(next(csv.reader(lines[-1:]))[place]) if lines else 0.0


if __name__ == "__main__":
    main()
