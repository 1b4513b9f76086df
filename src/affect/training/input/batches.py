"""Batches for Keras, read from arrays that may be larger than memory."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from joblib import cpu_count
from keras import tree

from affect.core.rng import rng_for
from affect.training.distribution import ALONE, Ranks
from affect.training.input.augmentation import Alteration
from affect.training.input.examples import Examples
from affect.training.input.mixing import Mixing, mix
from affect.training.input.sampling import count_occurrences, sample_epoch

if TYPE_CHECKING:
    import tensorflow as tf

Batch = tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Treatment:
    """What training does to its examples: how often each is shown, altered in what way, mixed in what way.

    sampling: as affect.training.input.sampling has it, by the expressions, (count,).
    """

    seed: int
    sampling: str = "natural"
    expressions: np.ndarray | None = None
    alteration: Alteration | None = None
    mixing: Mixing = field(default_factory=Mixing)


class Batches:
    """Examples in batches; with a treatment, in an order fixed by its seed and the epoch.

    ranks: of whose batches this process has its part. A last batch that devices can't share is cut.
    """

    def __init__(
        self, examples: Examples, batch_size: int, treatment: Treatment | None = None, ranks: Ranks = ALONE
    ) -> None:
        self.examples = examples
        self.batch_size = batch_size
        self.treatment = treatment
        self.ranks = ranks
        self._order = self._order_epoch(0)

    def __len__(self) -> int:
        return math.ceil((len(self.examples.inputs) - self.left_out) / self.batch_size)

    @property
    def left_out(self) -> int:
        """How many examples of each epoch are in no batch."""
        rest = len(self.examples.inputs) % self.batch_size
        return rest - self.ranks.cut(rest)

    def batch(self, step: int) -> Batch:
        """Return the inputs, targets and weights of a step, counted from the start of training."""
        epoch, position = divmod(step, len(self))
        order = self._order
        if epoch != order.epoch:
            # Several threads may come here at once; each has the whole order, and the same one.
            self._order = order = self._order_epoch(epoch)
        # Mixed images come from the whole batch, so each process reads all of it.
        is_mixed = self.treatment is not None and self.treatment.mixing != Mixing()
        start = position * self.batch_size
        count = min(self.batch_size, len(order.rows) - start)
        part = self.ranks.part(count)
        read = slice(0, self.ranks.cut(count)) if is_mixed else part
        chosen = slice(start + read.start, start + read.stop)
        rows = order.rows[chosen]
        inputs = self.examples.inputs[rows]
        targets = {task: values[rows] for task, values in self.examples.targets.items()}
        weights = {task: values[rows] for task, values in self.examples.weights.items()}
        if self.treatment is None:
            return inputs, targets, weights
        if alteration := self.treatment.alteration:
            places = zip(inputs, rows.tolist(), order.occurrences[chosen].tolist(), strict=True)
            inputs = np.stack([alteration.alter(image, row, epoch, count) for image, row, count in places])
        if not is_mixed:
            return inputs, targets, weights
        rng = rng_for(self.treatment.seed, "mixing", epoch, position)
        mixed = mix(inputs, targets, weights, self.treatment.mixing, rng)
        return tree.map_structure(lambda values: values[part], mixed)

    def dataset(self, epochs: range = range(1)) -> "tf.data.Dataset":
        """Return the batches of these epochs, one after the other."""
        # What is altered is worth all cores; reading alone is not.
        ahead = cpu_count() if self.treatment and self.treatment.alteration else 1
        return to_tf_dataset(self.batch, range(epochs.start * len(self), epochs.stop * len(self)), ahead)

    def _order_epoch(self, epoch: int) -> "_Order":
        if self.treatment is None:
            rows = np.arange(len(self.examples.inputs))
        else:
            expressions = self.treatment.expressions
            if expressions is None:
                expressions = np.zeros(len(self.examples.inputs))
            rows = sample_epoch(expressions, self.treatment.sampling, self.treatment.seed, epoch)
        return _Order(epoch, rows, count_occurrences(rows))


@dataclass(frozen=True)
class _Order:
    """The rows of an epoch in its order, and how often each has come before in it."""

    epoch: int
    rows: np.ndarray
    occurrences: np.ndarray


def to_tf_dataset(read: Callable[[int], object], steps: range, ahead: int = 1) -> "tf.data.Dataset":
    """Prefetch `read(step)` for each step: up to `ahead` batches are read in parallel, in order.

    `read` returns arrays in tuples and dictionaries, whose batch axis may vary. Keras would read a PyDataset through
    tf.data's generator, which makes glibc return memory at every step and so doubles the cost of a step on a CPU.
    """
    import tensorflow as tf  # noqa: PLC0415, importing this module must not import it

    first = read(steps.start)
    shapes = [(None, *array.shape[1:]) for array in tree.flatten(first)]
    dtypes = [array.dtype for array in tree.flatten(first)]

    def read_tensors(step: tf.Tensor) -> object:
        # With deterministic operations, tf.data runs operations that it takes for stateful one at a time.
        arrays = tf.numpy_function(lambda step: tree.flatten(read(int(step))), [step], dtypes, stateful=False)
        for array, shape in zip(arrays, shapes, strict=True):
            array.set_shape(shape)
        return tree.pack_sequence_as(first, arrays)

    dataset = tf.data.Dataset.range(steps.start, steps.stop)
    return dataset.map(read_tensors, num_parallel_calls=ahead).prefetch(ahead)
