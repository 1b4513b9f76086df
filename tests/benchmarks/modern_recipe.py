"""A step of the modern recipe against the same in Keras's own `fit`, with Keras's own layers, optimiser and loss."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras import layers, optimizers

from affect.core.labels import EXPRESSIONS
from affect.core.records import Records
from affect.models.backend import FLOAT32, fastest_precision, keras
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, build_model
from affect.training.input.augmentation import Alteration, Augmentation
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import make_examples
from affect.training.input.mixing import Mixing
from affect.training.recipe.objective import Objective, compile_model
from affect.training.recipe.optimizer import make_optimizer, warm_up_and_cosine
from measuring import Result, Work, compare
from training import BATCH, StepTimer, draw_records

SIZE, STEPS, TURNS = 96, 8, 5
BOUNDS = Augmentation(15, 0.1, 0.1, 0.5, 0.1, 0.1, grey=0.1, erase=0.25)
SMOOTHING, MIXUP, DECAY, AVERAGING = 0.1, 0.2, 0.05, 0.95
SCHEDULE = warm_up_and_cosine(0.001, 1000, 0.1)
HEADS = Heads(512, 256, 128, dropout=0.4)
KERAS = "Keras's fit and layers"


def compare_recipe(backbone: str) -> list[Result]:
    """Compare a step in which all layers train on images that are altered and mixed anew, expressions alone."""
    with tempfile.TemporaryDirectory() as folder:
        records = draw_records(Path(folder), STEPS * BATCH, SIZE)
        ours, constant, plain = (
            fit_ours(backbone, records),
            fit_constant(backbone, records),
            fit_keras(backbone, records),
        )
        for work in (ours, constant, plain):
            work()
        precision = fastest_precision(backbone)
        name = f"modern step, {backbone}"
        return [
            *compare(name, {precision: ours}, {f"{KERAS}, {FLOAT32}": plain}, TURNS),
            *compare(name, {precision: ours}, {"the same images in each epoch": constant}, TURNS),
        ]


def fit_ours(backbone: str, records: Records) -> Work:
    """Train as the stage does."""
    count = len(records.images)
    alteration = Alteration(BOUNDS, [str(row) for row in range(count)], np.zeros(count, int), 1)
    treatment = Treatment(1, "sqrt", records.index["expression"].to_numpy(), alteration, Mixing(MIXUP))
    examples = make_examples(records.images, records.index, ("emotion",), shares=True)
    return time_fit(compile_ours(backbone), Batches(examples, BATCH, treatment).dataset())


def fit_constant(backbone: str, records: Records) -> Work:
    """Train as the stage does, on images that cost nothing: what is more than that is what input costs."""
    examples = make_examples(records.images, records.index, ("emotion",), shares=True)
    batch = Batches(examples, BATCH).batch(0)
    return time_fit(compile_ours(backbone), tf.data.Dataset.from_tensors(batch).cache().repeat(STEPS))


def compile_ours(backbone: str) -> keras.Model:
    """Compile what learns in the stage."""
    full = build_model(backbone, SIZE, None, None, HEADS, ("emotion",)).full
    model = clone_with_fused_ops(full, fastest_precision(backbone))
    objective = Objective({"emotion": 1.0}, shares=True, label_smoothing=SMOOTHING)
    compile_model(model, make_optimizer(SCHEDULE, DECAY, AVERAGING), objective)
    return model


def fit_keras(backbone: str, records: Records) -> Work:
    """Train as one would with Keras alone: its layers alter whole batches in tf.data."""
    model = build_model(backbone, SIZE, None, None, HEADS, ("emotion",)).full
    model.compile(
        optimizers.AdamW(SCHEDULE, weight_decay=DECAY, use_ema=True, ema_momentum=AVERAGING),
        {"emotion": keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)},
        metrics={"emotion": ["accuracy"]},
    )
    alterations = [
        *(layers.RandomFlip("horizontal"), layers.RandomRotation(15 / 360), layers.RandomTranslation(0.1, 0.1)),
        *(layers.RandomZoom(0.1), layers.RandomBrightness(0.1), layers.RandomContrast(0.1)),
        *(layers.RandomGrayscale(0.1), layers.RandomErasing(0.25)),
    ]
    mixup = layers.MixUp(MIXUP)

    def alter(images: tf.Tensor, shares: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        altered = tf.cast(images, tf.float32)
        for layer in alterations:
            altered = layer(altered, training=True)
        mixed = mixup({"images": altered, "labels": shares}, training=True)
        return mixed["images"], {"emotion": mixed["labels"]}

    shares = np.eye(len(EXPRESSIONS), dtype=np.float32)[records.index["expression"]]
    data = tf.data.Dataset.from_tensor_slices((records.images[:], shares)).shuffle(len(shares)).batch(BATCH)
    return time_fit(model, data.map(alter, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE))


def time_fit(model: keras.Model, data: "tf.data.Dataset | Iterator") -> Work:
    """Return what trains a compiled model for an epoch, and returns the seconds that a step took."""

    def work() -> float:
        timer = StepTimer()
        model.fit(data, shuffle=False, verbose=0, callbacks=[timer])
        return timer.seconds_a_step()

    return work
