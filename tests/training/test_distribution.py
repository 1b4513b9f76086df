"""The parts of several processes are the batches of one."""

import fcntl
import os
import signal
import socket
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affect.plumbing.errors import InputError
from affect.training import distribution
from affect.training.distribution import (
    ALONE,
    BY_HAND,
    Ranks,
    ending_together,
    join_processes,
    require_shared,
)
from affect.training.feature_cache import open_shared
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import Examples
from affect.training.input.mixing import Mixing
from train import say_left_out

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
    values = ("127.0.0.1:1", "{}", "0") if len(names) > 1 else ("{}",)
    for number in (1, 4):
        for name, value in zip(names, values, strict=True):
            monkeypatch.setenv(name, value.format(number))
        if number == 1:
            assert join_processes() == ALONE
    with pytest.raises(InputError, match="4 processes are started, but only jax trains in several"):
        join_processes()


def test_a_process_that_is_named_in_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BY_HAND[2], "1")
    with pytest.raises(InputError, match=r"not set: \w+_JOB_ADDRESSES, \w+_NUM_PROCESSES; set all three"):
        join_processes()


@pytest.mark.parametrize(
    "values", [("h:1", "two", "0"), ("h:1", "2", "2"), ("h:1", "2", "-1"), ("h", "2", "0"), ("h:65536", "2", "0")]
)
def test_a_place_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, values: tuple[str, ...]) -> None:
    for name, value in zip(BY_HAND, values, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"JOB_ADDRESSES={values[0]} .*: give HOST:PORT, how many processes there are"):
        join_processes()


def find_free_port() -> int:
    with socket.create_server(("", 0)) as server:
        return server.getsockname()[1]


class FakeJax:
    """As much of JAX as joining takes, with 2 GPUs here of 4 of 2 processes."""

    def __init__(self) -> None:
        self.distributed = self
        self.device_count = lambda: 4
        self.local_device_count = self.process_count = lambda: 2
        self.process_index = lambda: 0

    def initialize(self, *named: object, cluster_detection_method: str | None, heartbeat_timeout_seconds: int) -> None:
        self.joined = named, cluster_detection_method, heartbeat_timeout_seconds
        self.on_ctrl_c = signal.getsignal(signal.SIGINT)


@pytest.fixture
def jax(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeJax]:
    monkeypatch.setattr(distribution, "ON_TENSORFLOW", False)
    fake = FakeJax()
    monkeypatch.setitem(sys.modules, "jax", fake)
    # Tests that are started in the background ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield fake
    signal.signal(signal.SIGINT, handler)


def test_who_is_named_by_hand_takes_all_gpus_of_its_host_in_a_job_of_slurm_too(
    jax: FakeJax, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """JAX would find the job by itself, and give each process the one GPU of its number on the host."""
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    assert join_processes() == Ranks(0, 2, 4)
    assert jax.joined[:2] == ((), None)
    address = f"h:{find_free_port()}"
    for name, value in zip(BY_HAND, (address, "2", "0"), strict=True):
        monkeypatch.setenv(name, value)
    assert join_processes() == Ranks(0, 2, 4)
    assert jax.joined[:2] == ((address, 2, 0), "deactivate")
    assert capsys.readouterr().err.startswith(f"train: waits at {address} for 1 more")
    assert jax.on_ctrl_c == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_the_first_process_is_refused_where_another_training_listens(
    jax: FakeJax, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX would kill both trainings, with a dump of its stack."""
    with socket.create_server(("", 0)) as other:
        address = f"localhost:{other.getsockname()[1]}"
        for name, value in zip(BY_HAND, (address, "2", "0"), strict=True):
            monkeypatch.setenv(name, value)
        with pytest.raises(InputError, match=f"JOB_ADDRESSES={address}: Address already in use; give each training"):
            join_processes()
        # The second one is to find the first there.
        monkeypatch.setenv(BY_HAND[2], "1")
        join_processes()
    assert jax.joined[0] == (address, 2, 1)


@pytest.mark.usefixtures("jax")
def test_hosts_with_different_numbers_of_gpus_are_refused() -> None:
    require_shared(Ranks(0, 2, 4), 16)
    with pytest.raises(InputError, match="of 5 devices 2 are here, and 2 processes must have as many each"):
        require_shared(Ranks(0, 2, 5), 20)


def test_fewer_images_than_devices_are_refused_and_others_said(capsys: pytest.CaptureFixture[str]) -> None:
    ranks = Ranks(0, 1, 4)
    with pytest.raises(InputError, match="3 validation images are fewer than the 4 devices"):
        say_left_out(ranks, make_batches(20, 8, ranks), make_batches(3, 8, ranks))
    say_left_out(ranks, make_batches(19, 8, ranks), make_batches(8, 8, ranks))
    said = "train: 3 training and 0 validation images of each epoch are in no batch: 4 devices share each evenly\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("the loss is NaN"), "train: rank 1: the loss is NaN\n"),
        (OSError(28, "", "features"), "train: rank 1: features: No space left on device\n"),
        (KeyboardInterrupt(), "train: rank 1: interrupted\n"),
        (
            ValueError("closed by peer"),
            "train: rank 1: failed as above; where another rank has ended before, what that one has printed says why\n",
        ),
    ],
)
def test_a_rank_that_fails_ends_at_once_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, said: str
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    with ending_together(Ranks(1, 2, 2), "train"):
        raise error
    assert codes == [1]
    printed = capsys.readouterr().err
    assert printed.endswith(said)
    before = printed.removesuffix(said)
    assert before.startswith("Traceback") if isinstance(error, ValueError) else not before
    with pytest.raises(type(error)), ending_together(ALONE, "train"):
        raise error


def test_ranks_that_are_told_different_things_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ranks, "agree", lambda self, number: zlib.crc32(b"epoch 3") >> 1)
    Ranks(1, 2, 2).require_same("epoch 3", "checkpoint")
    with pytest.raises(InputError, match="rank 1 has another checkpoint than rank 0; all must see the same folder"):
        Ranks(1, 2, 2).require_same("epoch 2", "checkpoint")


class Both(Ranks):
    """The first of two ranks, which waits for nobody."""

    def wait(self, what: str) -> None:
        pass

    def agree(self, number: int) -> int:
        return number


def test_a_shared_file_is_written_through(tmp_path: Path) -> None:
    """Two hosts that write into one page of a file on NFS would else lose each other's rows."""
    with open_shared(tmp_path, "network", Both(0, 2, 2)) as file:
        assert fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DSYNC
        file.write(b"rows")
        (kept,) = tmp_path.iterdir()
        assert kept == Path(file.name)
        assert kept.read_bytes() == b"rows"


def test_a_batch_that_devices_cannot_share_is_refused() -> None:
    with pytest.raises(InputError, match=r"train\.batch_size is 16, which 3 devices can't share; .* such as 15$"):
        require_shared(Ranks(0, 1, 3), 16)
