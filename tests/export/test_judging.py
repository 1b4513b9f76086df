"""int8 is calibrated on some training images and judged on others, the same ones each time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from affect.core.records import IMAGES_FILE, Records, create_images
from affect.export.judging import choose_images, largest_difference
from affect.plumbing.errors import InputError


def write_train(folder: Path, count: int) -> Records:
    images = create_images(folder / IMAGES_FILE, count, 4)
    images.write(0, np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 4, 4, 3), np.uint8))
    return Records(images, pd.DataFrame({"id": range(count)}))


@pytest.mark.parametrize(("count", "calibrated", "judged"), [(16, 8, 8), (40, 16, 20), (250, 16, 125)])
def test_images_to_judge_by_are_others(tmp_path: Path, count: int, calibrated: int, judged: int) -> None:
    train = write_train(tmp_path, count)
    found, again = choose_images(train, 16), choose_images(train, 16)
    assert (len(found.images), len(found.judged)) == (calibrated, judged)
    shown = [set(images[:, 0, 0, 0].tolist()) for images in (found.images, found.judged)]
    assert not shown[0] & shown[1]
    assert len(shown[0] | shown[1]) == calibrated + judged
    np.testing.assert_array_equal(found.images, again.images)


def test_too_few_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 16, and there are 15"):
        choose_images(write_train(tmp_path, 15), 16)


@pytest.mark.parametrize(
    ("outputs", "difference"),
    [([0.5, 0.25, np.nan], 0.25), ([np.nan, 0.5, np.nan], np.inf), ([0.5, np.inf, np.nan], np.inf)],
)
def test_what_is_no_number_is_no_small_difference(outputs: list[float], difference: float) -> None:
    """The last output is of a task that was not learnt."""
    assert largest_difference(np.array([outputs]), np.array([[0.5, 0.5, np.nan]])) == difference
