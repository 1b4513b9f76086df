"""A training step from stored features against Keras's `fit` of the whole network with the same layers frozen."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from affect.feeding import Batches
from affect.fused import fused_copy
from affect.network import TASKS, Units, build_network
from affect.runtime import keras
from affect.training import compile_network, make_examples
from measuring import Result, compare

SIZE, BATCH, STEPS, TURNS = 224, 16, 4, 5


def compare_steps(backbone: str) -> list[Result]:
    """Compare the cost of a few steps of the report's network, at its size and batch."""
    draws = np.random.default_rng(0)
    count = STEPS * BATCH
    images = draws.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    affect = {task: draws.uniform(-1, 1, count) for task in TASKS[1:]}
    index = pd.DataFrame({"expression": draws.integers(0, 8, count)} | affect)
    network = build_network(backbone, SIZE, None, 50, Units(shared=512, emotion=256, affect=128))
    assert network.frozen is not None
    features = network.frozen.predict(images, batch_size=BATCH, verbose=0)
    return compare(
        f"training step, {backbone}, {SIZE} px, batch {BATCH}",
        prepare_fit(fused_copy(network.trained), features, index),
        {"Keras's fit of the whole network": prepare_fit(network.model, images, index, keras.optimizers.Adam(1e-3))},
        TURNS,
    )


def prepare_fit(
    model: keras.Model, inputs: np.ndarray, index: pd.DataFrame, optimizer: keras.Optimizer | None = None
) -> Callable[[], object]:
    """Compile a model, with Keras's optimiser or else with ours, and return what trains it for the steps."""
    compile_network(model, TASKS, 1e-3, dict.fromkeys(TASKS, 1.0))
    if optimizer is not None:
        model.optimizer = optimizer
    batches = Batches(make_examples(inputs, index, TASKS), BATCH)
    return lambda: model.fit(batches.stream(), shuffle=False, verbose=0)
