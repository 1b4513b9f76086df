"""A step of the modern recipe against the same in Keras's own `fit`, with Keras's own layers, optimiser and loss."""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras import layers, optimizers

from affect.core.records import Records
from affect.models import backend
from affect.models.backend import FLOAT32, fastest_precision, keras
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, build_model
from affect.training.input.augmentation import Alteration, Augmentation
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import make_examples
from affect.training.recipe.objective import Objective, compile_model
from affect.training.recipe.optimizer import make_optimizer
from measuring import Result, Work, alone, compare
from training import BATCH, StepTimer, draw_records

SIZE, STEPS, EPOCHS, TURNS = 96, 16, 3, 3
BOUNDS = Augmentation(15, 0.1, 0.1, 0.5, 0.1, 0.1, grey=0.1, erase=0.25)
RATE, AVERAGING = 0.001, 0.95
HEADS = Heads(512, 256, 128, dropout=0.4)
KERAS = "Keras's fit and layers"


def compare_recipe(backbone: str) -> list[Result]:
    """Compare a step in which all layers train on images that are altered anew, expressions alone."""
    with tempfile.TemporaryDirectory() as folder:
        records = draw_records(Path(folder), STEPS * BATCH, SIZE)
        # Side by side in one process the one leaves the other less of the processor's caches and threads.
        ours, constant, plain = (
            alone(partial(time_steps, fit, backbone, records)) for fit in (fit_ours, fit_constant, fit_keras)
        )
        precision = fastest_precision(backbone)
        baselines = {f"{KERAS}, {FLOAT32}": plain, "the same images in each epoch": constant}
        return compare(f"modern step, {backbone}", {precision: ours}, baselines, TURNS)


def time_steps(fit: Callable[[str, Records], Work], backbone: str, records: Records) -> float:
    """Return the seconds of a step: the median of several epochs after the first."""
    backend.set_up(1)
    work = fit(backbone, records)
    work()
    return statistics.median(work() for _ in range(EPOCHS))


def fit_ours(backbone: str, records: Records) -> Work:
    """Train as the stage does."""
    count = len(records.images)
    alteration = Alteration(BOUNDS, [str(row) for row in range(count)], np.zeros(count, int), 1)
    treatment = Treatment(1, alteration=alteration)
    examples = make_examples(records.images, records.index, ("emotion",))
    return time_fit(compile_ours(backbone), Batches(examples, BATCH, treatment).dataset())


def fit_constant(backbone: str, records: Records) -> Work:
    """Train as the stage does, on images that cost nothing: what is more than that is what input costs."""
    examples = make_examples(records.images, records.index, ("emotion",))
    batch = Batches(examples, BATCH).batch(0)
    return time_fit(compile_ours(backbone), tf.data.Dataset.from_tensors(batch).cache().repeat(STEPS))


def compile_ours(backbone: str) -> keras.Model:
    """Compile what learns in the stage."""
    full = build_model(backbone, SIZE, None, None, HEADS, ("emotion",)).full
    model = clone_with_fused_ops(full, fastest_precision(backbone), whole=True)
    compile_model(model, make_optimizer(RATE, averaging=AVERAGING), Objective({"emotion": 1.0}))
    return model


def fit_keras(backbone: str, records: Records) -> Work:
    """Train as one would with Keras alone: its layers alter whole batches in tf.data."""
    model = build_model(backbone, SIZE, None, None, HEADS, ("emotion",)).full
    model.compile(
        optimizers.Adam(RATE, use_ema=True, ema_momentum=AVERAGING),
        {"emotion": "sparse_categorical_crossentropy"},
        metrics={"emotion": ["accuracy"]},
    )
    alterations = [
        *(layers.RandomFlip("horizontal"), layers.RandomRotation(15 / 360), layers.RandomTranslation(0.1, 0.1)),
        *(layers.RandomZoom(0.1), layers.RandomBrightness(0.1), layers.RandomContrast(0.1)),
        *(layers.RandomGrayscale(0.1), layers.RandomErasing(0.25)),
    ]

    def alter(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        altered = tf.cast(images, tf.float32)
        for layer in alterations:
            altered = layer(altered, training=True)
        return altered, {"emotion": labels}

    labels = records.index["expression"].to_numpy()
    data = tf.data.Dataset.from_tensor_slices((records.images[:], labels)).shuffle(len(labels)).batch(BATCH)
    return time_fit(model, data.map(alter, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE))


def time_fit(model: keras.Model, data: "tf.data.Dataset | Iterator") -> Work:
    """Return what trains a compiled model for an epoch, and returns the seconds that a step took."""

    def work() -> float:
        timer = StepTimer()
        model.fit(data, shuffle=False, verbose=0, callbacks=[timer])
        return timer.seconds_a_step()

    return work
