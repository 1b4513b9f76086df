"""The test of a single map: what greying the fifth that it marks takes away, beside random fifths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.faithfulness.baselines import random_maps
from affect.explanation.faithfulness.curves import MARKED, Predict, delete, rank_pixels

# Random fifths for each face: one alone may happen to be a good one, or a bad one.
DRAWS = 9


@dataclass(frozen=True)
class Greyed:
    """What an explanation scores of images as they are, (count,), with the marked fifth grey, (count,), and with each
    of several random fifths grey, (draws, count)."""

    whole: np.ndarray
    marked: np.ndarray
    draws: np.ndarray

    @property
    def random(self) -> np.ndarray:
        """(count,) the score with a random fifth grey, on average."""
        return self.draws.mean(axis=0)

    @property
    def beaten(self) -> np.ndarray:
        """(count,) how many of the random fifths take away less than the marked one."""
        return np.sum(self.marked < self.draws, axis=0)


def grey_fifths(
    predict: Predict, explanation: Explanation, method: str, images: np.ndarray, ids: Sequence[str], seed: int
) -> dict[tuple[str, str], Greyed]:
    """Return, by method and task, what greying a fifth of (count, size, size, 3) images does to their scores.

    A network's attention is beside the method, by the expression alone: it is the same for all tasks.
    """
    whole = explanation.score(explanation.outputs)

    def score(maps: np.ndarray, tasks: Sequence[str]) -> dict[str, np.ndarray]:
        altered = explanation.score(predict(delete(images, rank_pixels(enlarge(maps, images.shape[1])), MARKED)))
        return {task: altered[task] for task in tasks}

    maps = {(method, task): explanation.maps[method][task] for task in explanation.tasks}
    if "attention" in explanation.maps:
        maps["attention", "emotion"] = explanation.maps["attention"]["emotion"]
    greyed: dict[tuple[str, str], Greyed] = {}
    random: dict[tuple[int, ...], list[dict[str, np.ndarray]]] = {}
    for (name, task), found in maps.items():
        if (shape := found.shape[1:]) not in random:
            random[shape] = [score(random_maps(shape, ids, seed, draw), explanation.tasks) for draw in range(DRAWS)]
        marked = score(found * explanation.signs(task)[:, None, None], [task])[task]
        greyed[name, task] = Greyed(whole[task], marked, np.stack([draw[task] for draw in random[shape]]))
    return greyed
