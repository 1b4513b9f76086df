"""One training on several devices, in one process or several, by JAX (keras.distribution, data parallel).

Each process takes its contiguous part of every batch, so that the order of the rows is that of one process; batch norm
and dropout are over the whole batch. What a rank writes, it writes as rank 0 alone; what Keras computes or assigns, all
ranks do alike.
"""

import os
import sys
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from affect.models.backend import ON_TENSORFLOW
from affect.plumbing.errors import InputError

# By hand, the variables of Keras: the first process's address, how many there are, and which this one is.
BY_HAND = tuple(f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))
# Under srun, that of Slurm; the others JAX reads itself.
BY_SLURM = "SLURM_STEP_NUM_TASKS"
# Seconds after which a process that says nothing is taken for dead, and the others end.
SILENCE = 30
# JAX would take SIGTERM for a notice and go on.
os.environ.setdefault("JAX_ENABLE_PREEMPTION_SERVICE", "0")


@dataclass(frozen=True)
class Ranks:
    """This process among those of a training: `rank` of `ranks`, which have so many devices together."""

    rank: int = 0
    ranks: int = 1
    devices: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes what the training leaves."""
        return self.rank == 0

    def wait(self, what: str) -> None:
        """Wait until all ranks are here. what: has come about by then; the same for all."""
        if self.ranks > 1:
            from jax.experimental import multihost_utils  # noqa: PLC0415, the only backend that has ranks

            multihost_utils.sync_global_devices(what)

    def agree(self, number: int) -> int:
        """Return rank 0's number, of 31 bits."""
        if self.ranks == 1:
            return number
        from jax.experimental import multihost_utils  # noqa: PLC0415, the only backend that has ranks

        return int(multihost_utils.broadcast_one_to_all(np.int32(number)))

    def require_same(self, told: str, what: str) -> None:
        """Raise InputError where another rank was told something else than rank 0. what: it is, for the message."""
        found = zlib.crc32(told.encode()) >> 1
        if self.agree(found) != found:
            raise InputError(f"rank {self.rank} has another {what} than rank 0; all must see the same folder")

    def cut(self, count: int) -> int:
        """Return how many of a batch's rows are used: each device has as many as any other."""
        return count - count % self.devices

    def part(self, count: int) -> slice:
        """Return which of so many rows are this process's."""
        each = self.cut(count) // self.ranks
        return slice(self.rank * each, (self.rank + 1) * each)


ALONE = Ranks()


def join_processes() -> Ranks:
    """Wait for the processes that the environment names, and return this one's place; before anything is built.

    Raises InputError where several are named and Keras runs on TensorFlow, which would train each by itself, and where
    they are named by some variables of BY_HAND alone.
    """
    address, ranks, rank = by_hand = [os.environ.get(name) for name in BY_HAND]
    if any(by_hand) and not all(by_hand):
        raise InputError(f"of {', '.join(BY_HAND)} some are set and some are not; set all three, or none")
    named = ranks or os.environ.get(BY_SLURM, "1")
    if ON_TENSORFLOW:
        if named != "1":
            raise InputError(f"{named} processes are started, but only jax trains in several; set train.backend to jax")
        return ALONE
    import jax  # noqa: PLC0415, the only backend that needs it

    if ranks and rank:
        jax.distributed.initialize(address, int(ranks), int(rank), heartbeat_timeout_seconds=SILENCE)
    elif named != "1":
        jax.distributed.initialize(heartbeat_timeout_seconds=SILENCE)
    return Ranks(jax.process_index(), jax.process_count(), jax.device_count())


def spread_over_devices(ranks: Ranks, batch_size: int) -> None:
    """Have what is built from now on compute on all devices. Raises InputError where they can't share a batch."""
    if ranks.devices == 1:
        return
    if batch_size % ranks.devices:
        raise InputError(
            f"train.batch_size is {batch_size}, which {ranks.devices} devices can't share; set it to a multiple, such "
            f"as {ranks.devices * max(1, round(batch_size / ranks.devices))}"
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


@contextmanager
def ending_together(ranks: Ranks, name: str) -> Iterator[None]:
    """End a rank that fails at once, so that what the others wait for fails too: at an ordinary exit JAX would wait.

    name: of the script, for the line that says of an InputError.
    """
    try:
        yield
    # Ctrl-C and SystemExit too.
    except BaseException as error:
        if ranks.ranks == 1:
            raise
        if isinstance(error, InputError):
            print(f"{name}: rank {ranks.rank}: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
