"""One number for a single map: what greying the fifth that it marks takes away, beside a random fifth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.faithfulness.baselines import random_maps
from affect.explanation.faithfulness.curves import MARKED, Predict, delete, rank_pixels

# Random fifths for each face: one alone may happen to be a good one.
DRAWS = 5


@dataclass(frozen=True)
class Greyed:
    """(count,) what an explanation scores of the images as they are, with the marked fifth grey, and with a random one
    grey, of which it is the mean of five."""

    whole: np.ndarray
    marked: np.ndarray
    random: np.ndarray

    @property
    def is_true(self) -> np.ndarray:
        """(count,) whether the marked fifth takes away more than a random one."""
        return self.marked < self.random


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
    greyed, random = {}, {}
    for (name, task), found in maps.items():
        if (shape := found.shape[1:]) not in random:
            draws = [score(random_maps(shape, ids, seed, draw), explanation.tasks) for draw in range(DRAWS)]
            random[shape] = {of: np.mean([each[of] for each in draws], axis=0) for of in explanation.tasks}
        marked = score(found * explanation.signs(task)[:, None, None], [task])[task]
        greyed[name, task] = Greyed(whole[task], marked, random[shape][task])
    return greyed
