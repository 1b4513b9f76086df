"""What a method's maps mark of what a network rests on, beside chance and beside the middle of the picture."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tqdm import tqdm

from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.faithfulness.baselines import CENTRE, RANDOM, RANDOM_ATTENTION, centre_maps, random_maps
from affect.explanation.faithfulness.curves import MARKED, Predict, area, rank_pixels, trace

# What is measured of each image: the areas under its two curves, and what deleting its marked fifth takes away.
MEASURES = ("deletion", "insertion", "marked")
LOWER_IS_BETTER = ("deletion",)

# By method, task and kind (deletion or insertion): (count, steps + 1) scores of the images.
Curves = dict[tuple[str, str, str], np.ndarray]
# By method, task and measure: (count,) of the images.
Scores = dict[tuple[str, str, str], np.ndarray]


def trace_methods(
    predict: Predict,
    explanation: Explanation,
    images: np.ndarray,
    ids: Sequence[str],
    steps: int,
    batch_size: int,
    seed: int,
) -> Curves:
    """Trace deletion and insertion of images by each method, by random places, and from the middle outwards."""
    traced: dict[tuple[str, str, str], list[np.ndarray]] = {}
    for start in tqdm(range(0, len(images), batch_size), desc="deletion and insertion", disable=None):
        rows = slice(start, start + batch_size)
        part, pixels = explanation.select(rows), images[rows]
        for method, tasks, maps in list_orders(part, ids[rows], seed):
            curves = trace(predict, part, pixels, rank_pixels(enlarge(maps, pixels.shape[1])), steps)
            for kind, by_task in curves.items():
                for task in tasks:
                    traced.setdefault((method, task, kind), []).append(by_task[task])
    return {key: np.concatenate(parts) for key, parts in traced.items()}


def list_orders(explanation: Explanation, ids: Sequence[str], seed: int) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield each method with the maps by which pixels are ordered, (count, rows, columns), and the tasks that they are
    of: baselines and attention have one for all."""
    shapes = {method: maps["emotion"].shape[1:] for method, maps in explanation.maps.items()}
    shape = next(iter(shapes.values()))
    yield RANDOM, explanation.tasks, random_maps(shape, ids, seed)
    if shapes.get("attention", shape) != shape:
        yield RANDOM_ATTENTION, explanation.tasks, random_maps(shapes["attention"], ids, seed)
    yield CENTRE, explanation.tasks, centre_maps(shape, len(ids))
    for method, maps in explanation.maps.items():
        if method == "attention":
            yield method, explanation.tasks, maps["emotion"]
            continue
        for task in explanation.tasks:
            yield method, [task], maps[task] * explanation.signs(task)[:, None, None]


def measure(curves: Curves) -> Scores:
    """Return each image's measures from its curves."""
    scores: Scores = {}
    for (method, task, kind), values in curves.items():
        scores[method, task, kind] = area(values)
        if kind == "deletion":
            scores[method, task, "marked"] = values[:, 0] - values[:, round(MARKED * (values.shape[1] - 1))]
    return scores


def gain(scores: Mapping[tuple[str, str, str], np.ndarray], method: str, over: str, task: str, name: str) -> np.ndarray:
    """Return (count,) by how much a method is better than another in a measure; of random places, as coarse as it."""
    if over == RANDOM and method == "attention" and (RANDOM_ATTENTION, task, name) in scores:
        over = RANDOM_ATTENTION
    difference = scores[method, task, name] - scores[over, task, name]
    return -difference if name in LOWER_IS_BETTER else difference
