"""What the metrics by group add to the evaluation of two networks."""

from functools import partial

import numpy as np
import pandas as pd
from conftest import draw_predictions

from affect.core.records import ATTRIBUTE
from affect.evaluation.groups.division import find_groups
from affect.evaluation.results import evaluate
from measuring import Result, compare, timed

IMAGES, RESAMPLES, TURNS = 4000, 2000, 3


def compare_groups() -> list[Result]:
    """Compare the statistics of as many images as the report had with and without six further columns."""
    draws = np.random.default_rng(0)
    tables = {"first": draw_predictions(IMAGES, 1), "second": draw_predictions(IMAGES, 2)}
    truth = ["expression", "valence", "arousal"]
    tables["second"][truth] = tables["first"][truth]
    columns = {f"{ATTRIBUTE}{count}": draws.choice(list("abcde")[:count], IMAGES) for count in (2, 3, 4, 5)}
    columns |= {f"{ATTRIBUTE}{name}": draws.normal(0, 10, IMAGES).round(1).astype(str) for name in ("yaw", "pitch")}
    groups = find_groups(pd.DataFrame(columns))
    work = partial(evaluate, tables, RESAMPLES, 1, 10)
    ours = {f"{len(groups)} groups": timed(partial(work, groups))}
    return compare(f"statistics of {IMAGES} images", ours, {"without groups": timed(work)}, TURNS)
