"""Batches for Keras, read from arrays that may be larger than memory."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from keras import tree

from affect.core.array_file import Rows
from affect.core.rng import generator

Array = np.ndarray | Rows


@dataclass(frozen=True)
class Examples:
    """Inputs of the trained half, row for row with the targets and their weights in the loss, by task.

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
        self._order = (0, self._draw_order(0))

    def __len__(self) -> int:
        return math.ceil(len(self.examples.inputs) / self.batch_size)

    def batch(self, step: int) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the inputs, targets and weights of a step, counted from the start of training."""
        epoch, position = divmod(step, len(self))
        if epoch != self._order[0]:
            self._order = (epoch, self._draw_order(epoch))
        rows = self._order[1][position * self.batch_size : (position + 1) * self.batch_size]
        targets = {task: values[rows] for task, values in self.examples.targets.items()}
        weights = {task: values[rows] for task, values in self.examples.weights.items()}
        return self.examples.inputs[rows], targets, weights

    def stream(self, epochs: range = range(1)) -> tf.data.Dataset:
        """Return the batches of these epochs, one after the other."""
        return stream(self.batch, range(epochs.start * len(self), epochs.stop * len(self)))

    def _draw_order(self, epoch: int) -> np.ndarray:
        count = len(self.examples.inputs)
        if self.seed is None:
            return np.arange(count)
        return generator(self.seed, "epoch", epoch).permutation(count)


def stream(read: Callable[[int], object], steps: range, ahead: int = 1) -> tf.data.Dataset:
    """Return what `read` gives for each step, in order; up to `ahead` steps are read at once, and before they are due.

    `read` returns arrays in tuples and dictionaries, whose batch axis may vary. Keras would read a PyDataset through
    tf.data's generator, which makes glibc return memory at every step and so doubles the cost of a step on a CPU.
    """
    first = read(steps.start)
    shapes = [(None, *array.shape[1:]) for array in tree.flatten(first)]
    types = [array.dtype for array in tree.flatten(first)]

    def read_tensors(step: tf.Tensor) -> object:
        # With deterministic operations, tf.data reads what it takes for stateful one step at a time.
        arrays = tf.numpy_function(lambda step: tree.flatten(read(int(step))), [step], types, stateful=False)
        for array, shape in zip(arrays, shapes, strict=True):
            array.set_shape(shape)
        return tree.pack_sequence_as(first, arrays)

    dataset = tf.data.Dataset.range(steps.start, steps.stop)
    return dataset.map(read_tensors, num_parallel_calls=ahead).prefetch(ahead)
