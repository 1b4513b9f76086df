"""What a training makes of its examples: how often each is shown, altered and mixed in what way."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affect.core.rng import rng_for
from affect.training.input.augmentation import Alteration, Augmentation, augment
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import Examples, make_examples
from affect.training.input.mixing import Mixing, mix
from affect.training.input.sampling import POWERS, count_occurrences, quotas, sample_epoch

BOUNDS = Augmentation(15, 0.1, 0.1, 0.5, 0.1, 0.1, grey=0.2, erase=0.5)
EXPRESSIONS = st.lists(st.integers(0, 7), min_size=1, max_size=200).map(np.array)


@given(EXPRESSIONS, st.sampled_from(list(POWERS)), st.integers(0, 5))
def test_an_epoch_shows_as_many_images_as_there_are_and_those_of_an_expression_evenly(
    expressions: np.ndarray, sampling: str, epoch: int
) -> None:
    rows = sample_epoch(expressions, sampling, 1, epoch)
    assert len(rows) == len(expressions)
    shown = np.bincount(rows, minlength=len(expressions))
    for expression, quota in quotas(expressions, sampling).items():
        own = shown[expressions == expression]
        assert own.sum() == quota
        assert own.max() - own.min() <= 1


def test_balanced_sampling_shows_each_expression_as_often_and_sqrt_half_way() -> None:
    expressions = np.repeat([0, 1, 2], [100, 25, 4])
    assert quotas(expressions, "natural") == {0: 100, 1: 25, 2: 4}
    assert quotas(expressions, "balanced") == {0: 43, 1: 43, 2: 43}
    # 10 : 5 : 2
    assert quotas(expressions, "sqrt") == {0: 76, 1: 38, 2: 15}


def test_what_an_epoch_leaves_out_another_shows() -> None:
    expressions = np.repeat([0, 1], [100, 20])
    shown = [set(sample_epoch(expressions, "balanced", 1, epoch).tolist()) for epoch in range(8)]
    assert len(shown[0]) < 120
    assert len(set.union(*shown)) == 120


@given(st.lists(st.integers(0, 9), min_size=1))
def test_occurrences_count_what_came_before(rows: list[int]) -> None:
    counted = count_occurrences(np.array(rows)).tolist()
    assert counted == [rows[:place].count(row) for place, row in enumerate(rows)]


def images_of(count: int, size: int = 16) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, size, size, 3), np.uint8)


def altered_batches(sampling: str = "natural", mixing: Mixing | None = None) -> tuple[Batches, np.ndarray]:
    images = images_of(12)
    index = pd.DataFrame({"expression": [0] * 9 + [1] * 3, "valence": np.linspace(-1, 1, 12)})
    alteration = Alteration(BOUNDS, [f"face {row}" for row in range(12)], np.zeros(12, int), 7)
    treatment = Treatment(3, sampling, index["expression"].to_numpy(), alteration, mixing or Mixing())
    return Batches(make_examples(images, index, ("emotion", "valence"), shares=True), 5, treatment), images


def test_an_image_is_altered_anew_in_each_epoch_by_seed_name_and_epoch_alone() -> None:
    batches, images = altered_batches()
    for epoch in range(2):
        rows = sample_epoch(np.zeros(12), "natural", 3, epoch)
        shown = np.concatenate([batches.batch(epoch * len(batches) + step)[0] for step in range(len(batches))])
        for image, row in zip(shown, rows, strict=True):
            expected = augment(images[row], BOUNDS, rng_for(7, f"face {row}", 0, "epoch", epoch, 0))
            np.testing.assert_array_equal(image, expected)


def test_an_image_that_comes_twice_in_an_epoch_is_altered_twice() -> None:
    batches, _ = altered_batches("balanced")
    shown = np.concatenate([batches.batch(step)[0] for step in range(len(batches))])
    rows = sample_epoch(np.array([0] * 9 + [1] * 3), "balanced", 3, 0)
    assert len(set(rows.tolist())) < 12
    assert len({image.tobytes() for image in shown}) == 12


@pytest.mark.parametrize("mixing", [Mixing(), Mixing(mixup=0.4), Mixing(cutmix=1.0), Mixing(0.4, 1.0)])
def test_batches_are_the_same_in_any_order_and_from_any_number_of_threads(mixing: Mixing) -> None:
    batches, _ = altered_batches("sqrt", mixing)
    steps = list(range(4 * len(batches)))
    expected = [altered_batches("sqrt", mixing)[0].batch(step) for step in steps]
    order = np.random.default_rng(0).permutation(steps).tolist()
    with ThreadPoolExecutor(3) as threads:
        read = dict(zip(order, threads.map(batches.batch, order), strict=True))
    for step, (images, targets, weights) in enumerate(expected):
        np.testing.assert_array_equal(read[step][0], images)
        for task in targets:
            np.testing.assert_array_equal(read[step][1][task], targets[task])
            np.testing.assert_array_equal(read[step][2][task], weights[task])


def test_mixup_blends_images_and_labels_by_one_share() -> None:
    images = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (0, 100)])
    targets = {"emotion": np.eye(8, dtype=np.float32)[[2, 5]], "valence": np.array([[-1.0], [1.0]], np.float32)}
    weights = {task: np.ones(2, np.float32) for task in targets}
    mixed, shares, _ = next(
        found
        for attempt in range(20)
        if not np.array_equal((found := mix(images, targets, weights, Mixing(mixup=1), rng_for(attempt)))[0], images)
    )
    share = mixed[1, 0, 0, 0] / 100
    assert 0 < share < 1
    np.testing.assert_allclose(mixed[1], share * 100, rtol=1e-5)
    np.testing.assert_allclose(shares["emotion"][1, [2, 5]], [1 - share, share], rtol=1e-5)
    np.testing.assert_allclose(shares["valence"][1], 2 * share - 1, rtol=1e-5)


def test_cutmix_pastes_a_rectangle_and_counts_its_pixels() -> None:
    images = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (0, 200)])
    targets, weights = {"emotion": np.eye(8, dtype=np.float32)[[2, 5]]}, {"emotion": np.ones(2, np.float32)}
    pasted = 0
    for attempt in range(40):
        mixed, shares, _ = mix(images, targets, weights, Mixing(cutmix=1), rng_for(attempt))
        own = (mixed[0] == 0).all(axis=2)
        rows, columns = np.nonzero(~own)
        if len(rows):
            assert own[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].sum() == 0
            assert (mixed[0][~own] == 200).all()
            pasted += 1
        np.testing.assert_allclose(shares["emotion"][0, [2, 5]], [own.mean(), 1 - own.mean()], atol=1e-6)
    assert pasted > 10


@given(st.integers(0, 2**32), st.floats(0.1, 5))
def test_what_is_not_annotated_has_no_part_in_a_mixture(seed: int, alpha: float) -> None:
    valence = np.array([0.5, 0.0, -0.25, 0.0], np.float32)[:, None]
    weights = np.array([2.0, 0.0, 2.0, 0.0], np.float32)
    _, targets, mixed = mix(
        images_of(4, 4), {"valence": valence}, {"valence": weights}, Mixing(mixup=alpha), rng_for(seed)
    )
    found = targets["valence"][:, 0][mixed["valence"] > 0]
    assert ((found > -0.2501) & (found < 0.5001)).all()
    assert (targets["valence"][mixed["valence"] == 0] == 0).all()
    # Mixing with one that is not annotated lowers the weight, not the label.
    assert mixed["valence"].sum() == pytest.approx(weights.sum(), rel=1e-5)


@given(st.integers(0, 2**32))
def test_the_cross_entropy_of_a_mixture_is_the_mean_of_both(seed: int) -> None:
    draws = np.random.default_rng(seed)
    truth = np.eye(8, dtype=np.float32)[draws.integers(0, 8, 6)]
    weights = draws.uniform(0.2, 3, 6).astype(np.float32)
    log_predicted = np.log(draws.dirichlet(np.ones(8)))
    _, targets, mixed = mix(images_of(6, 4), {"emotion": truth}, {"emotion": weights}, Mixing(mixup=1), rng_for(seed))
    # Each image is once the first and once the partner of a mixture.
    of_mixtures = -(mixed["emotion"][:, None] * targets["emotion"] * log_predicted).sum()
    assert of_mixtures == pytest.approx(-(weights[:, None] * truth * log_predicted).sum(), rel=1e-4)


def test_a_copy_without_grey_and_erasing_is_what_it_was() -> None:
    image = images_of(1, 32)[0]
    plain = Augmentation(15, 0.1, 0.1, 0.5, 0.1, 0.1)
    for number in range(10):
        both = augment(image, BOUNDS, rng_for(1, number))
        without = augment(image, plain, rng_for(1, number))
        if not (both == both[..., :1]).all():
            # Outside the erased rectangle nothing has changed.
            assert (both == without).all(axis=2).mean() > 0.6


def test_grey_takes_the_colour_and_erasing_a_rectangle() -> None:
    image = images_of(1, 64)[0]
    nothing = Augmentation(0, 0, 0, 0, 0, 0)
    grey = augment(image, Augmentation(0, 0, 0, 0, 0, 0, grey=1), rng_for(1))
    assert (grey == grey[..., :1]).all()
    np.testing.assert_array_equal(augment(image, nothing, rng_for(1)), image)
    areas = []
    for number in range(50):
        erased = (augment(image, Augmentation(0, 0, 0, 0, 0, 0, erase=1), rng_for(number)) != image).any(axis=2)
        rows, columns = np.nonzero(erased)
        areas.append(erased.mean())
        assert erased[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean() > 0.95
    assert min(areas) < 0.06
    assert 0.25 < max(areas) < 0.36


def test_examples_without_a_treatment_keep_their_order() -> None:
    batches = Batches(Examples(np.arange(7)[:, None], {}, {}), 3)
    assert np.concatenate([batches.batch(step)[0] for step in range(3)])[:, 0].tolist() == list(range(7))
