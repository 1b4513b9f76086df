"""The metrics of counted images are those of the plain metrics on a table in which rows are repeated."""

import numpy as np
import pytest
from conftest import draw_predictions
from hypothesis import given
from hypothesis import strategies as st

from affect.evaluation.resampled_metrics import ResampledMetrics
from affect.evaluation.results import evaluate_predictions


@given(st.integers(2, 60), st.integers(0, 10_000), st.booleans(), st.integers(0, 3))
def test_counting_an_image_twice_is_having_it_twice(images: int, seed: int, coarse: bool, spared: int) -> None:
    table = draw_predictions(images, seed, coarse)
    counts = np.random.default_rng(seed + 1).integers(0, 3, images)
    counts[:spared] = 0
    if not counts.any():
        return
    repeated = table.loc[table.index.repeat(counts)].reset_index(drop=True)
    expected, _ = evaluate_predictions(repeated)
    # The second row proves that rows don't mix.
    computed = ResampledMetrics(table)(np.stack([counts, np.ones(images)]).astype(np.float32))
    weighted: dict[str, dict[str, float]] = {}
    for (task, name), values in computed.items():
        if not np.isnan(values[0]):
            weighted.setdefault(task, {})[name] = values[0]
    assert weighted == {task: pytest.approx(metrics, rel=1e-6, abs=1e-9) for task, metrics in expected.items()}
