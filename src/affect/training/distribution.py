"""One training on several devices, in one process or several, by JAX (keras.distribution, data parallel).

Each process takes its contiguous part of every batch, so that the order of the rows is that of one process; batch norm
and dropout are over the whole batch. What a rank writes, it writes as rank 0 alone; what Keras computes or assigns, all
ranks do alike.
"""

import os
import re
import signal
import socket
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
from affect.plumbing.stage import tell

# By hand, the variables of Keras: the first process's address, how many there are, and which this one is.
BY_HAND = tuple(f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))
# Under srun, that of Slurm; the others JAX reads itself.
BY_SLURM = "SLURM_STEP_NUM_TASKS"
# Seconds after which a process that says nothing is taken for dead, and the others end.
SILENCE = 30
LAST_PORT = 65535


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

    def describe(self) -> dict[str, str | int]:
        """Return what is said of a training by JAX: what it ran on."""
        if ON_TENSORFLOW:
            return {}
        return {"backend": keras.backend.backend(), "devices": self.devices, "ranks": self.ranks}

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
    what names them is no such name, or they don't find each other.
    """
    named = _read_by_hand()
    ranks = named[1] if named else int(os.environ.get(BY_SLURM, "1"))
    if ON_TENSORFLOW:
        if ranks > 1:
            raise InputError(f"{ranks} processes are started, but only jax trains in several; set train.backend to jax")
        return ALONE
    import jax  # noqa: PLC0415, the only backend that needs it

    if ranks > 1:
        if named and named[2] == 0:
            _require_free(named[0])
            said = f"train: waits at {named[0]} for {ranks - 1} more, started with PROCESS_ID from 1 on"
            print(f"{said}; five minutes at most", file=sys.stderr, flush=True)
        try:
            # Of processes that are named by hand, JAX would in a job of Slurm take one GPU each.
            detection = "deactivate" if named else None
            with _ended_by_ctrl_c():
                jax.distributed.initialize(
                    *(named or ()), cluster_detection_method=detection, heartbeat_timeout_seconds=SILENCE
                )
        except (RuntimeError, ValueError) as error:
            raise InputError(f"the {ranks} processes don't find each other: {' '.join(str(error).split())}") from None
    return Ranks(jax.process_index(), jax.process_count(), jax.device_count())


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Have Ctrl-C end this process at once, not when Python runs again, for which it may have to wait."""
    handler = signal.getsignal(signal.SIGINT)
    if handler == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _read_by_hand() -> tuple[str, int, int] | None:
    """Return address, number and place that BY_HAND name; None where they are not set."""
    given = [os.environ.get(name, "") for name in BY_HAND]
    if not any(given):
        return None
    if missing := [name for name, value in zip(BY_HAND, given, strict=True) if not value]:
        raise InputError(f"not set: {', '.join(missing)}; set all three, or none")
    # Keras takes a list of all addresses, too, and of it the first.
    address = given[0].partition(",")[0]
    is_number = given[1].isdecimal() and given[2].isdecimal()
    port = re.fullmatch(r".+:(\d{1,5})", address)
    if not port or int(port[1]) > LAST_PORT or not is_number or int(given[2]) >= int(given[1]):
        values = " ".join(f"{name}={value}" for name, value in zip(BY_HAND, given, strict=True))
        raise InputError(f"{values}: give HOST:PORT, how many processes there are, and which this is, from 0 on")
    return address, int(given[1]), int(given[2])


def _require_free(address: str) -> None:
    """Raise InputError where the port of this process's HOST:PORT is taken: of two trainings JAX would kill both."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("", int(address.rpartition(":")[2])))
        except OSError as error:
            raise InputError(f"{BY_HAND[0]}={address}: {error.strerror}; give each training a free port") from None


def require_shared(ranks: Ranks, batch_size: int) -> None:
    """Raise InputError where the devices can't share a batch, or processes have different numbers of them."""
    if batch_size % ranks.devices:
        raise InputError(
            f"train.batch_size is {batch_size}, which {ranks.devices} devices can't share; set it to a multiple, such "
            f"as {ranks.devices * max(1, round(batch_size / ranks.devices))}"
        )
    if ranks.ranks == 1:
        return
    import jax  # noqa: PLC0415, the only backend that has ranks

    here = jax.local_device_count()
    if here * ranks.ranks != ranks.devices:
        raise InputError(
            f"of {ranks.devices} devices {here} are here, and {ranks.ranks} processes must have as many each; choose "
            "them by CUDA_VISIBLE_DEVICES"
        )


def spread_over_devices(ranks: Ranks) -> None:
    """Have what is built from now on compute on all devices."""
    if ranks.devices > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


@contextmanager
def ending_together(ranks: Ranks, name: str) -> Iterator[None]:
    """End a rank that fails at once, so that what the others wait for fails too: at an ordinary exit JAX would wait.

    name: of the script, for the line that tells of an error that the user can mend.
    """
    try:
        yield
    # Ctrl-C and SystemExit too.
    except BaseException as error:
        if ranks.ranks == 1:
            raise
        told = tell(error)
        if told is None:
            traceback.print_exc()
            told = "failed as above; where another rank has ended before, what that one has printed says why"
        print(f"{name}: rank {ranks.rank}: {told}", file=sys.stderr, flush=True)
        os._exit(1)
