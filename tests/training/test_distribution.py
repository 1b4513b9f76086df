"""The parts of several processes are the batches of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affect.plumbing.errors import InputError
from affect.training.distribution import ALONE, BY_HAND, Ranks, join_processes, spread_over_devices
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import Examples
from affect.training.input.mixing import Mixing

NO_MIXING = Mixing()


def make_batches(count: int, size: int, ranks: Ranks = ALONE, mixing: Mixing = NO_MIXING) -> Batches:
    rows = np.arange(count)
    images = np.random.default_rng(1).integers(0, 256, (count, 4, 4, 3), np.uint8)
    examples = Examples(
        images, {"emotion": np.eye(8, dtype=np.float32)[rows % 8]}, {"emotion": np.ones(count, np.float32)}
    )
    return Batches(examples, size, Treatment(7, expressions=rows % 8, mixing=mixing), ranks)


def read(batches: Batches, step: int) -> list[np.ndarray]:
    inputs, targets, weights = batches.batch(step)
    return [inputs, targets["emotion"], weights["emotion"]]


@given(st.integers(8, 120), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_the_parts_of_all_ranks_are_the_batches_of_one(
    count: int, per_device: int, ranks: int, each: int, mixes: bool
) -> None:
    devices = ranks * each
    size = per_device * devices
    mixing = Mixing(mixup=0.4 if mixes else 0.0)
    together = make_batches(count, size, Ranks(0, 1, devices), mixing)
    parts = [make_batches(count, size, Ranks(rank, ranks, devices), mixing) for rank in range(ranks)]
    assert {len(part) for part in parts} == {len(together)}
    shown = 0
    for step in range(2 * len(together)):
        whole = read(together, step)
        shares = [read(part, step) for part in parts]
        assert len({len(share[0]) for share in shares}) == 1
        assert len(shares[0][0]) * ranks % devices == 0
        for place, values in enumerate(whole):
            np.testing.assert_array_equal(np.concatenate([share[place] for share in shares]), values)
        shown += len(whole[0])
    assert shown == 2 * (count - together.left_out)
    assert together.left_out < devices


def test_one_device_leaves_nothing_out_and_two_leave_one_of_99() -> None:
    assert [make_batches(99, 16, ranks).left_out for ranks in (ALONE, Ranks(0, 1, 2), Ranks(1, 2, 2))] == [0, 1, 1]
    # Another one in each epoch.
    batches = make_batches(99, 16, Ranks(0, 1, 2))
    steps = len(batches)
    sums = [sum(int(read(batches, epoch * steps + step)[0].sum()) for step in range(steps)) for epoch in range(2)]
    assert sums[0] != sums[1]


def test_a_last_batch_that_leaves_no_row_to_a_device_is_no_step() -> None:
    assert len(make_batches(35, 16, Ranks(0, 1, 4))) == 2


@pytest.mark.parametrize("names", [BY_HAND, ("SLURM_STEP_NUM_TASKS",)])
def test_several_processes_are_refused_on_tensorflow(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """Each would train by itself, and the last to end would leave its model."""
    for number in (1, 4):
        for name in names:
            monkeypatch.setenv(name, str(number))
        if number == 1:
            assert join_processes() == ALONE
    with pytest.raises(InputError, match="4 processes are started, but only jax trains in several"):
        join_processes()


def test_a_process_that_is_named_in_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BY_HAND[2], "1")
    with pytest.raises(InputError, match=r"of KERAS_DISTRIBUTION_JOB_ADDRESSES, .* set all three, or none"):
        join_processes()


def test_a_batch_that_devices_cannot_share_is_refused() -> None:
    with pytest.raises(InputError, match=r"train\.batch_size is 16, which 3 devices can't share; .* such as 15$"):
        spread_over_devices(Ranks(0, 1, 3), 16)
