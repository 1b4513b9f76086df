"""From a video's frames to rows in a table, by our ONNX file, against the plain loop over the same network."""

import csv
import os
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import cv2
import keras
import numpy as np
from moving import write_video

from affect.core.labels import TASKS
from affect.core.rng import rng_for
from affect.export.onnx.conversion import write_onnx
from affect.inference import FACE_COLUMNS, FacePredictor
from affect.inference.detection import FaceDetector
from affect.inference.detection.detector import SMALL, THRESHOLD
from affect.inference.detection.yunet import find_model
from affect.inference.tables import open_rows
from affect.inference.videos import SMOOTHED, Every, Video, predict_video
from affect.models.multitask import Heads, build_model
from affect.synthetic.faces import render_face
from exported import CARD
from measuring import Result, compare, timed

FRAMES, WIDTH, HEIGHT, SIZE, TURNS = 300, 640, 480, 112, 5
COLUMNS = ["frame", "time", *FACE_COLUMNS, *SMOOTHED]
LOOP = "decode, cv2's YuNet at 320, predict_on_batch"


def compare_videos(backbone: str) -> list[Result]:
    """Compare one face and three, looked for in one pass and in two; prints frames a second."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        model = build_model(backbone, SIZE, None, 50, Heads(512, 256, 128), TASKS).full
        write_onnx(model, CARD, Path(folder) / "model.onnx")
        passes = {"one pass": FaceDetector(large=None), "two passes": FaceDetector()}
        for people in (1, 3):
            file = Path(folder) / f"{people}.mp4"
            write_video(file, draw_frames(people))
            ours = {}
            for name, detector in passes.items():
                predictor = FacePredictor(Path(folder) / "model.onnx")
                predictor.detector = detector
                ours[name] = timed(partial(predict_rows, predictor, file, count(), Path(folder)))
            baselines = {LOOP: timed(partial(loop, model, file, Path(folder) / "loop.csv"))}
            if "FER_PYTHON" in os.environ:
                baselines["fer"] = partial(run_fer, file)
            compared = compare(f"{FRAMES} frames, {people} faces, {backbone}", ours, baselines, TURNS)
            for result in compared:
                print(f"{result.benchmark}, {result.ours}: {FRAMES / result.ours_seconds:.0f} frames a second")
            results += compared
    return results


def draw_frames(people: int) -> Iterator[np.ndarray]:
    """Draw people of 150 pixels who sway before a wall of noise."""
    wall = rng_for(0, "wall").normal(150, 6, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
    faces = [render_face(79, id, id % 8, 150).image for id in range(people)]
    for frame in range(FRAMES):
        image = wall.copy()
        for id, face in enumerate(faces):
            left, top = 30 + 200 * id + round(20 * np.sin(frame / 9 + id)), 160 + round(40 * np.cos(frame / 12 + id))
            image[top : top + 150, left : left + 150] = face
        yield image


def predict_rows(predictor: FacePredictor, file: Path, turns: Iterator[int], folder: Path) -> None:
    """Write the rows of a video to a new table."""
    table = folder / f"{file.stem}-{id(predictor)}-{next(turns)}.csv"
    with open_rows(table, COLUMNS, dict) as rows, Video(file, WIDTH * HEIGHT) as video:
        for faces in predict_video(predictor, video, Every(), 1.0):
            rows.append(faces)


def run_fer(file: Path) -> float:
    """Return the seconds that fer takes in the environment whose Python FER_PYTHON names."""
    command = [os.environ["FER_PYTHON"], str(Path(__file__).with_name("fer_loop.py")), str(file)]
    seconds, found = subprocess.check_output(command, text=True).split()[-2:]
    print(f"fer finds {float(found):.2f} faces a frame in {file.name}")
    return float(seconds)


def loop(model: keras.Model, file: Path, table: Path) -> None:
    """Do what one would write: a frame after the other."""
    cv2.setUseOptimized(True)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    video = cv2.VideoCapture(str(file))
    height = round(SMALL * HEIGHT / WIDTH)
    detector = cv2.FaceDetectorYN.create(str(find_model()), "", (SMALL, height), THRESHOLD)
    with table.open("w", newline="") as opened:
        writer = csv.writer(opened)
        for frame in count():
            read, image = video.read()
            if not read:
                break
            _, found = detector.detect(cv2.resize(image, (SMALL, height), interpolation=cv2.INTER_AREA))
            boxes = [np.round(row[:4] * WIDTH / SMALL).astype(int).tolist() for row in (() if found is None else found)]
            crops = [image[max(y, 0) : y + h, max(x, 0) : x + w, ::-1] for x, y, w, h in boxes]
            if crops:
                faces = np.stack([cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for crop in crops])
                outputs = model.predict_on_batch(faces.astype(np.float32))
                for number, box in enumerate(boxes):
                    writer.writerow([frame, *box, *(float(v) for task in TASKS for v in outputs[task][number])])
    cv2.setUseOptimized(False)
