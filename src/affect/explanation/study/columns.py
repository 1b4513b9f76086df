"""What is measured of each image, as columns by where their means stand in the results."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from affect.core.labels import EXPRESSIONS
from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.faithfulness.baselines import BASELINES, CENTRE, RANDOM
from affect.explanation.faithfulness.judging import Scores, gain, list_orders
from affect.explanation.faithfulness.randomised import correlate
from affect.explanation.regions.action_units import EXPECTED
from affect.explanation.regions.changed import mark_changed
from affect.explanation.regions.division import REGIONS, divide
from affect.explanation.regions.locating import DATASET, DETECTOR, LocatedFace
from affect.explanation.regions.shares import hits, share_on, share_on_regions, weigh_evidence
from affect.explanation.study.means import Path, Tree, average, look_up

Columns = dict[Path, np.ndarray]
# By how much more a map may be like that of the network in disorder than like another image's.
LIKENESS = 0.1


def faithfulness_columns(scores: Scores) -> Columns:
    """Return the measures of each method and task, and by how much they are better than chance and than the middle."""
    columns: Columns = {("faithfulness", *key): values for key, values in scores.items()}
    for method, task, name in scores:
        if method not in BASELINES:
            for over in (RANDOM, CENTRE):
                columns["gain", over, method, task, name] = gain(scores, method, over, task, name)
    return columns


def randomised_columns(trained: Explanation, shuffled: Explanation) -> Columns:
    """Return Spearman's correlations of each image's map with that of the network with its weights in disorder, of maps
    of two different images, and by how much the first are higher; the last of the maps' sizes, without signs, too."""
    columns: Columns = {}
    for method, maps in trained.maps.items():
        for task in trained.tasks:
            pair = maps[task], shuffled.maps[method][task]
            path = ("randomised", method, task)
            columns[*path, "shuffled"], columns[*path, "other_faces"] = _correlate_both(*pair)
            columns[*path, "difference"] = columns[*path, "shuffled"] - columns[*path, "other_faces"]
            same, others = _correlate_both(*map(np.abs, pair))
            columns[*path, "difference_of_sizes"] = same - others
    return columns


def _correlate_both(maps: np.ndarray, shuffled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return correlate(maps, shuffled), correlate(maps, np.roll(maps, 1, axis=0))


def find_faults(tree: Tree, method: str, task: str) -> list[str]:
    """Return in what a method's maps fail their test; nothing where they pass it.

    Deletion and insertion have to be better than chance, each by an interval above 0. The maps must not be more like
    those of the network with its weights in disorder than maps of two different images are like each other: by no more
    than LIKENESS, of which the interval is proof. (Their sizes may: a face has contrast in the same places whatever the
    weights are.)
    """
    intervals = tree.get("intervals", {})
    gains = {name: look_up(intervals, ("gain", RANDOM, method, task, name)) for name in ("deletion", "insertion")}
    faults = [f"{name} no better than chance" for name, bounds in gains.items() if bounds is None or bounds[0] <= 0]
    left = look_up(intervals, ("randomised", method, task, "difference"))
    return faults + (["weights in disorder may leave it"] if left is None or left[1] > LIKENESS else [])


def region_columns(
    explanation: Explanation, shown: Mapping[str, str | None], faces: Sequence[LocatedFace | None], size: int
) -> Columns:
    """Return the share of the evidence on each region, by task and for expressions by which, beside the regions' areas.

    `expected` is the share on the regions in which the action units of an expression are seen.
    """
    known = np.array([face is not None for face in faces])
    if not known.any():
        return {}
    regions = np.stack([divide(face.points, size) for face in faces if face is not None])
    areas = _spread(share_on_regions(np.ones(regions.shape, np.float32), regions), known)
    columns: Columns = {("regions", "area", name): areas[:, place] for place, name in enumerate(REGIONS)}
    for task, method in shown.items():
        if method is None:
            continue
        evidence = weigh_evidence(enlarge(explanation.maps[method][task][known], size), task)
        shares = _spread(share_on_regions(evidence, regions), known)
        columns |= {("regions", task, "all", name): shares[:, place] for place, name in enumerate(REGIONS)}
        if task == "emotion":
            for number, expression in enumerate(EXPRESSIONS):
                of_it = np.where(explanation.expressions == number, 1.0, np.nan)
                columns |= _of_expression(expression, shares * of_it[:, None], areas * of_it[:, None])
    return columns


def find_above_area(columns: Columns, resamples: int, seed: int) -> dict[str, dict[str, list[str]]]:
    """Return, by task and row, the regions that have more of the maps than of the same images' area, by an interval
    above 0."""
    gains = {
        path[1:]: shares - columns["regions", "area", path[-1]]
        for path, shares in columns.items()
        if path[0] == "regions" and path[1] != "area" and path[-1] in REGIONS
    }
    above: dict[str, dict[str, list[str]]] = {}
    if gains:
        intervals = average(gains, resamples, seed).get("intervals", {})
        for task, row, name in gains:
            found = above.setdefault(task, {}).setdefault(row, [])
            if (bounds := look_up(intervals, (task, row, name))) and bounds[0] > 0:
                found.append(name)
    return above


def _of_expression(expression: str, shares: np.ndarray, areas: np.ndarray) -> Columns:
    path = ("regions", "emotion", expression)
    columns: Columns = {(*path, name): shares[:, place] for place, name in enumerate(REGIONS)}
    if expected := [place for place, name in enumerate(REGIONS) if name in EXPECTED[expression]]:
        columns[*path, "expected"] = shares[:, expected].sum(axis=1)
        columns[*path, "expected_area"] = areas[:, expected].sum(axis=1)
    return columns


def changed_columns(
    explanation: Explanation, faces: Sequence[LocatedFace | None], ids: Sequence[str], size: int, seed: int
) -> Columns:
    """Return how much of each method's evidence for the expression lies where the expression has moved landmarks, how
    often its maximum does, and what share of the picture that is: of drawn faces, whose truth is known, and of those
    alone that are explained by their label."""
    marks = [
        mark_changed(face.rest, face.points, size)
        if face and face.rest is not None and face.expression == explained
        else np.zeros((size, size), bool)
        for face, explained in zip(faces, explanation.expressions, strict=True)
    ]
    mask = np.stack(marks)
    moved = mask.any(axis=(1, 2))
    if not moved.any():
        return {}
    areas = np.where(moved, mask.mean(axis=(1, 2)), np.nan)
    columns: Columns = {("changed", "area"): areas}
    for method, tasks, maps in list_orders(explanation, ids, seed):
        if "emotion" in tasks:
            # The middle's map has only an order, no amounts.
            evidence = weigh_evidence(
                enlarge(maps - min(maps.min(), 0) if method in BASELINES else maps, size), "emotion"
            )
            share = np.where(moved, share_on(evidence, mask), np.nan)
            columns["changed", method, "share"] = share
            columns["changed", method, "gain"] = share - areas
            columns["changed", method, "hits"] = np.where(moved, hits(evidence, mask), np.nan)
    return columns


def count_faces(
    explanation: Explanation, faces: Sequence[LocatedFace | None], columns: Columns
) -> dict[str, int | dict[str, int]]:
    """Return how many images are explained as each expression, whence their landmarks are, and of how many it is known
    where their expression has changed them."""
    explained = {name: int((explanation.expressions == number).sum()) for number, name in enumerate(EXPRESSIONS)}
    sources = Counter(face.source if face else "none" for face in faces)
    landmarks = {name: sources[name] for name in (DATASET, DETECTOR, "none")}
    changed = int(np.isfinite(columns.get(("changed", "area"), np.nan)).sum())
    return {"explained": explained, "landmarks": landmarks, "changed": changed}


def _spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the rows of known images among those of all, which are NaN."""
    spread = np.full((len(known), values.shape[1]), np.nan)
    spread[known] = values
    return spread
