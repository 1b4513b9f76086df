"""The maps of a network's held-out images, with their test, and with where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from affect.explanation.explainer import Explainer, Explanation, explain_all
from affect.explanation.faithfulness.judging import Curves, measure, trace_methods
from affect.explanation.faithfulness.randomised import shuffle_weights
from affect.explanation.regions.locating import LocatedFace
from affect.explanation.study.columns import (
    Columns,
    changed_columns,
    faithfulness_columns,
    find_above_area,
    find_faults,
    randomised_columns,
    region_columns,
)
from affect.explanation.study.means import Tree, average
from affect.models.predictors import KerasPredictor
from affect.plumbing.params import Evaluate, Explain


@dataclass(frozen=True)
class StudiedMaps:
    """The maps of images, and their test.

    layer: whose map is explained. faults: by method and task, in what its maps fail their test. columns: what is
    measured of each image; means: their means, and intervals. above_area: as `find_above_area` returns it.
    """

    explanation: Explanation
    layer: str
    curves: Curves
    faults: dict[str, dict[str, list[str]]]
    columns: Columns
    means: Tree
    above_area: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, str | None]:
        """By task, the first method whose maps pass their test; None where there is none."""
        return {
            task: next((method for method, faults in self.faults.items() if not faults[task]), None)
            for task in self.explanation.tasks
        }


def study_maps(
    predictor: KerasPredictor,
    images: np.ndarray,
    ids: Sequence[str],
    faces: Sequence[LocatedFace | None],
    options: Explain,
    evaluate: Evaluate,
) -> StudiedMaps:
    """Explain (count, size, size, 3) images, each by its predicted expression, and test the maps.

    faces: where the images' landmarks lie.
    """
    explainer = Explainer(predictor.model)
    explanation = explain_all(explainer, images, evaluate.batch_size)
    shuffled = _explain_shuffled(predictor.file, options.seed, images, explanation, evaluate.batch_size)
    curves = trace_methods(predictor.run, explanation, images, ids, options.steps, evaluate.batch_size, options.seed)
    columns = faithfulness_columns(measure(curves)) | randomised_columns(explanation, shuffled)
    means = average(columns, evaluate.bootstrap, evaluate.seed)
    faults = {
        method: {task: find_faults(means, method, task) for task in explanation.tasks} for method in explainer.methods
    }
    studied = StudiedMaps(explanation, explainer.layer, curves, faults, columns, means)
    size = images.shape[1]
    columns |= region_columns(explanation, studied.shown, faces, size)
    columns |= changed_columns(explanation, faces, ids, size, options.seed)
    return replace(
        studied,
        means=average(columns, evaluate.bootstrap, evaluate.seed),
        above_area=find_above_area(columns, evaluate.bootstrap, evaluate.seed),
    )


def _explain_shuffled(
    file: Path, seed: int, images: np.ndarray, explanation: Explanation, batch_size: int
) -> Explanation:
    """Explain what is explained by the same network with its weights in disorder."""
    model = KerasPredictor(file).model
    shuffle_weights(model, seed)
    return explain_all(Explainer(model), images, batch_size, explanation.expressions)
