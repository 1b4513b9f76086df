"""One face, and 32 at once, by an exported file against Keras's `predict_on_batch`."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from affect.core.labels import EXPRESSIONS, TASKS
from affect.export.litert.conversion import write_litert
from affect.export.onnx.conversion import write_onnx
from affect.models.card import ExportCard
from affect.models.multitask import Heads, build_model
from affect.models.predictors import open_predictor
from measuring import Result, Work, compare, timed
from peers import EMOTIEFFLIB, open_in_emotiefflib

CARD = ExportCard(
    source={},
    precision="float32",
    expressions=list(EXPRESSIONS),
    model=None,
    parameters={},
    metrics=None,
    licence="",
)
# Pixels, and faces of a batch.
CASES = ((96, 1), (224, 1), (224, 32))
FACES, TURNS = 64, 7
KERAS = "Keras's predict_on_batch"


def compare_exports(backbone: str) -> list[Result]:
    """Compare float32 files; each runs on as many cores as it takes by itself."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for size, batch in CASES:
            model = build_model(backbone, size, None, 50, Heads(512, 256, 128), TASKS).full
            files = {"ONNX": Path(folder) / "model.onnx", "LiteRT": Path(folder) / "model.tflite"}
            write_onnx(model, CARD, files["ONNX"])
            write_litert(model, CARD, files["LiteRT"])
            images = np.random.default_rng(1).integers(0, 256, (batch, size, size, 3)).astype(np.float32)
            ours = {name: time_faces(open_predictor(file).run, images) for name, file in files.items()}
            name = f"{FACES} of {size} px, {batch} at once, {backbone}"
            baselines = {KERAS: time_faces(model.predict_on_batch, images)}
            if peer := open_in_emotiefflib(files["ONNX"], size):
                baselines[EMOTIEFFLIB] = time_faces(peer, images)
            results += compare(name, ours, baselines, TURNS)
    return results


def time_faces(run: Callable[[np.ndarray], object], images: np.ndarray) -> Work:
    """Return what predicts FACES faces, in batches of these."""

    def predict() -> None:
        for _ in range(FACES // len(images)):
            run(images)

    predict()
    return timed(predict)
