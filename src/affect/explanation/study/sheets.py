"""The pictures of a study: mean faces for the page, and faces of people for this machine alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from affect.core.labels import EXPRESSIONS
from affect.core.records import Records
from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.pictures.mean_faces import MIN_FACES, average
from affect.explanation.pictures.overlays import lay_out, overlay
from affect.explanation.regions.locating import LocatedFace

# Pixels a side of a picture on a sheet.
SIDE = 168
MAX_ERRORS, NEIGHBOURS = 6, 4
Shown = Mapping[str, str | None]


def show_mean_faces(
    explanation: Explanation, shown: Shown, images: np.ndarray, faces: Sequence[LocatedFace | None]
) -> Image.Image | None:
    """Return the mean map of each expression over the mean of its faces, and those of valence and arousal over all.

    A group of fewer than ten faces is left out. Returns None where nothing is left.
    """
    located = {row: face.points for row, face in enumerate(faces) if face is not None}
    if not located:
        return None
    target = np.mean(list(located.values()), axis=0) * (SIDE / images.shape[1])
    groups = [("emotion", name, number) for number, name in enumerate(EXPRESSIONS)]
    tiles, captions = [], []
    for task, name, number in [*groups, ("valence", "valence", None), ("arousal", "arousal", None)]:
        method = shown.get(task)
        rows = [row for row in located if number is None or explanation.expressions[row] == number]
        if method is None or len(rows) < MIN_FACES:
            continue
        maps = explanation.maps[method][task][rows]
        # Each face counts the same.
        maps = enlarge(maps / np.maximum(np.abs(maps).sum(axis=(1, 2), keepdims=True), 1e-12), SIDE)
        points = [located[row] * (SIDE / images.shape[1]) for row in rows]
        face = average([_resize(images[row]) for row in rows], points, target).clip(0, 255).astype(np.uint8)
        tiles.append(overlay(face, average(list(maps), points, target), signed=task != "emotion"))
        captions.append(f"{name}\n{len(rows)} faces")
    return lay_out("", tiles, captions, 5) if tiles else None


def show_faces(explanation: Explanation, shown: Shown, images: np.ndarray, index: pd.DataFrame) -> Image.Image:
    """Return the first face of each predicted expression, each beside its maps that are shown."""
    tiles, captions = [], []
    methods = {task: method for task, method in shown.items() if method is not None}
    for number in range(len(EXPRESSIONS)):
        for row in np.flatnonzero(explanation.expressions == number)[:1]:
            tiles.append(_resize(images[row]))
            captions.append(f"{index['id'][row][-20:]}\n{EXPRESSIONS[index['expression'][row]]}")
            for place, (task, method) in enumerate(methods.items(), 1):
                found = enlarge(explanation.maps[method][task][row][None], SIDE)[0]
                tiles.append(overlay(tiles[-place], found, signed=task != "emotion"))
                captions.append(_describe(explanation, task, row))
    return lay_out("", tiles, captions, 2 * (1 + len(methods)))


def show_neighbours(records: Records, worst: pd.DataFrame, neighbours: np.ndarray) -> Image.Image | None:
    """Return the worst errors, a row each, beside the faces that the network takes for most like them; None where it
    makes no error, or knows no other face.

    worst: rows of predictions by their places among the records. neighbours: of all of them, (count, some), as
    `find_neighbours` returns them.
    """
    count = neighbours.shape[1]
    rows = list(worst.index[:MAX_ERRORS])
    if not rows or not count:
        return None
    tiles, captions = [], []
    for row, near in zip(rows, neighbours[rows], strict=True):
        tiles += [_resize(records.images[place]) for place in (row, *near)]
        true, predicted = (EXPRESSIONS[worst[name][row]] for name in ("expression", "predicted_expression"))
        captions.append(f"{true},\ntaken for {predicted}")
        captions += [EXPRESSIONS[records.index["expression"][place]] for place in near]
    return lay_out("", tiles, captions, 1 + count)


def _describe(explanation: Explanation, task: str, row: int) -> str:
    if task == "emotion":
        number = explanation.expressions[row]
        return f"{EXPRESSIONS[number]}\n{explanation.outputs[task][row, number]:.2f}"
    return f"{task}\n{explanation.outputs[task][row, 0]:.2f}"


def _resize(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
