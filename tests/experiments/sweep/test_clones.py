"""The line that a failed experiment is told with."""

import pytest

from affect.experiments.sweep.clones import find_error

FAILED = "ERROR: failed to reproduce 'train': failed to run: python src/train.py, exited with 1"


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        (f"> python src/train.py\ntrain: the loss is NaN\n{FAILED}\n", "train: the loss is NaN"),
        (f"> python src/train.py\n10%|#  |\rtrain: killed\n\n{FAILED}\n", "train: killed"),
        (f"Running stage 'train':\n> python src/train.py\n{FAILED}\n", FAILED),
        (
            "ERROR: unexpected error - no space left\n\nHaving any troubles?\n",
            "ERROR: unexpected error - no space left",
        ),
        (
            "Verifying data sources in stage: 'a.dvc'\nERROR: missing data 'source': a\n",
            "ERROR: missing data 'source': a",
        ),
        ("Killed\n", "Killed"),
        ("", "it printed nothing"),
    ],
)
def test_the_line_is_the_stages_or_else_dvcs(printed: str, line: str) -> None:
    assert find_error(printed) == line
