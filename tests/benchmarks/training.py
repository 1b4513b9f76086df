"""Fine-tuning as the stage does it against Keras's `fit` of the whole network with the same layers frozen."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from conftest import ROOT

import train
from affect.core.labels import TASKS
from affect.core.records import IMAGES_FILE, Records, create_images
from affect.models import backend
from affect.models.backend import BFLOAT16, FLOAT32, fastest_precision, input_dtype, keras
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, SplitModel, build_model
from affect.plumbing import paths
from affect.plumbing.params import load_params
from affect.training.feature_cache import compute_features
from affect.training.input.batches import Batches
from affect.training.input.examples import Array, make_examples
from affect.training.recipe.objective import Objective, compile_model
from affect.training.recipe.optimizer import make_optimizer
from measuring import Result, Work, alone, compare, timed

SIZE, BATCH = 224, 16
STEPS, STEP_TURNS = 12, 5
EPOCHS, TRAIN_IMAGES, VAL_IMAGES, STAGE_TURNS = 15, 256, 64, 3
WHOLE = "Keras's fit of the whole network"


def compare_steps(backbone: str) -> list[Result]:
    """Compare the cost of a step of the report's network, at its size and batch."""
    with tempfile.TemporaryDirectory() as folder:
        records = draw_records(Path(folder), STEPS * BATCH)
        baselines = {
            f"{WHOLE}, {precision}{', XLA' * compiled}": fit_plain(backbone, records, precision, compiled)
            for precision in (FLOAT32, BFLOAT16)
            for compiled in (False, True)
        }
        fastest = fastest_precision(backbone)
        ours = {precision: fit_stored(backbone, records, precision) for precision in dict.fromkeys((FLOAT32, fastest))}
        ours[f"{fastest}, unstored"] = time_steps(
            compile_ours(build(backbone).full, fastest), records.images, records.index
        )
        for work in (*ours.values(), *baselines.values()):
            work()
        return compare(f"training step, {backbone}", ours, baselines, STEP_TURNS)


def compare_training(backbone: str) -> list[Result]:
    """Compare fifteen epochs with validation, from building the network on; ours with its pass over frozen layers."""
    with tempfile.TemporaryDirectory() as train_folder, tempfile.TemporaryDirectory() as val_folder:
        records = draw_records(Path(train_folder), TRAIN_IMAGES)
        val = draw_records(Path(val_folder), VAL_IMAGES)
        precision = fastest_precision(backbone)
        return compare(
            f"train stage, {EPOCHS} epochs, {backbone}",
            {precision: alone(timed(partial(run_stage, backbone, records, val, precision)))},
            {f"{WHOLE}, {FLOAT32}": alone(timed(partial(run_plain, backbone, records, val)))},
            STAGE_TURNS,
        )


def compare_determinism(backbone: str) -> list[Result]:
    """Compare a step of deterministic operations with one of TensorFlow's default ones."""
    with tempfile.TemporaryDirectory() as folder:
        records = draw_records(Path(folder), STEPS * BATCH)
        precision = fastest_precision(backbone)
        deterministic, default = (
            alone(partial(step_of_operations, backbone, records, precision, chosen)) for chosen in (True, False)
        )
        return compare(
            f"deterministic step, {backbone}", {precision: deterministic}, {"TensorFlow's default": default}, STEP_TURNS
        )


def step_of_operations(backbone: str, records: Records, precision: str, deterministic: bool) -> float:
    """Return the seconds of a step; for the rest of the process operations are deterministic, or not."""
    if deterministic:
        backend.set_up(1)
    work = fit_stored(backbone, records, precision)
    work()
    return statistics.median(work() for _ in range(STEP_TURNS))


def draw_records(folder: Path, count: int, size: int = SIZE) -> Records:
    """Return images of noise with labels; what they show does not change what training costs."""
    draws = np.random.default_rng(count)
    images = create_images(folder / IMAGES_FILE, count, size)
    images.write(0, draws.integers(0, 256, images.shape, np.uint8))
    affect = {task: draws.uniform(-1, 1, count) for task in TASKS[1:]}
    return Records(images, pd.DataFrame({"expression": draws.integers(0, 8, count)} | affect))


def build(backbone: str, precision: str = FLOAT32) -> SplitModel:
    """Build the report's network, from random weights, under a global dtype policy."""
    with global_precision(precision):
        return build_model(backbone, SIZE, None, 50, Heads(shared=512, emotion=256, valence_arousal=128))


@contextmanager
def global_precision(precision: str) -> Iterator[None]:
    """Set Keras's dtype policy for a while."""
    keras.config.set_dtype_policy(precision)
    yield
    keras.config.set_dtype_policy(FLOAT32)


class StepTimer(keras.callbacks.Callback):
    """When each step of a `fit` ended."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.ends.append(time.perf_counter())

    def seconds_a_step(self) -> float:
        """Return the mean over all steps but the first, which waits for `fit` to set itself up."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def time_steps(model: keras.Model, inputs: Array, index: pd.DataFrame) -> Work:
    """Return what trains a compiled model for some steps, and returns the seconds that one took."""
    batches = Batches(make_examples(inputs, index, TASKS), BATCH)

    def work() -> float:
        timer = StepTimer()
        model.fit(batches.dataset(), shuffle=False, verbose=0, callbacks=[timer])
        return timer.seconds_a_step()

    return work


def fit_stored(backbone: str, records: Records, precision: str) -> Work:
    """Train as the stage does."""
    network = build(backbone)
    assert network.frozen is not None
    scratch = Path(records.images.file.name).parent
    features = compute_features(network.frozen, records.images, BATCH, input_dtype(precision), scratch)
    return time_steps(compile_ours(network.trainable, precision), features, records.index)


def compile_ours(trained: keras.Model, precision: str) -> keras.Model:
    """Compile what learns in the stage."""
    training_model = clone_with_fused_ops(trained, precision)
    compile_model(training_model, make_optimizer(1e-3), Objective(dict.fromkeys(TASKS, 1.0)))
    return training_model


def fit_plain(backbone: str, records: Records, precision: str, compiled: bool) -> Work:
    """Train as one would with Keras alone."""
    model = compile_plain(build(backbone, precision))
    model.jit_compile = compiled
    return time_steps(model, records.images, records.index)


def compile_plain(network: SplitModel) -> keras.Model:
    """Compile the whole network with Keras's own Adam."""
    compile_model(network.full, make_optimizer(1e-3), Objective(dict.fromkeys(TASKS, 1.0)))
    network.full.optimizer = keras.optimizers.Adam(1e-3)
    return network.full


def run_stage(backbone: str, records: Records, val: Records, precision: str) -> None:
    """Train by the stage's own function, without an early stop."""
    backend.set_up(1)
    changed = {"epochs": EPOCHS, "batch_size": BATCH, "early_stopping_patience": EPOCHS}
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"train": params.train.model_copy(update=changed)})
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        for folder in (paths.AUGMENTED, paths.PREPARED):
            folder.mkdir(parents=True)
        train.train_model(build(backbone), records, val, TASKS, params, precision)


def run_plain(backbone: str, records: Records, val: Records) -> None:
    """Train as many epochs with Keras alone."""
    backend.set_up(1)
    batches, val_batches = (Batches(make_examples(part.images, part.index, TASKS), BATCH) for part in (records, val))
    compile_plain(build(backbone)).fit(
        batches.dataset(range(EPOCHS)),
        steps_per_epoch=len(batches),
        epochs=EPOCHS,
        validation_data=val_batches.dataset(),
        shuffle=False,
        verbose=0,
    )
