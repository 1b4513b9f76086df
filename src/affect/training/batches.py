"""Batches for Keras, read from arrays that may be larger than memory."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from keras import tree

from affect.core.array_file import ArrayFile
from affect.core.rng import rng_for

if TYPE_CHECKING:
    import tensorflow as tf

Array = np.ndarray | ArrayFile


@dataclass(frozen=True)
class Examples:
    """Inputs of the model to train, row for row with the targets and their weights in the loss, by task.

    inputs: (count, ...) images or features. Weights are 0 for a valence or arousal that is not annotated.
    """

    inputs: Array
    targets: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]


class Batches:
    """Examples in batches; with a seed, in an order fixed by the seed and the epoch."""

    def __init__(self, examples: Examples, batch_size: int, seed: int | None = None) -> None:
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        self._order = (0, self._shuffle(0))

    def __len__(self) -> int:
        return math.ceil(len(self.examples.inputs) / self.batch_size)

    def batch(self, step: int) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the inputs, targets and weights of a step, counted from the start of training."""
        epoch, position = divmod(step, len(self))
        if epoch != self._order[0]:
            self._order = (epoch, self._shuffle(epoch))
        rows = self._order[1][position * self.batch_size : (position + 1) * self.batch_size]
        targets = {task: values[rows] for task, values in self.examples.targets.items()}
        weights = {task: values[rows] for task, values in self.examples.weights.items()}
        return self.examples.inputs[rows], targets, weights

    def dataset(self, epochs: range = range(1)) -> "tf.data.Dataset":
        """Return the batches of these epochs, one after the other."""
        return to_tf_dataset(self.batch, range(epochs.start * len(self), epochs.stop * len(self)))

    def _shuffle(self, epoch: int) -> np.ndarray:
        count = len(self.examples.inputs)
        if self.seed is None:
            return np.arange(count)
        return rng_for(self.seed, "epoch", epoch).permutation(count)


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
