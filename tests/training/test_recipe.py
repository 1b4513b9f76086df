"""The recipe: losses and optimiser against their formulas, and its parts against Keras's own."""

import keras
import numpy as np
import pytest
from keras import layers

from affect.evaluation import metrics
from affect.models.backend import ON_TENSORFLOW
from affect.models.kernels import FusedAdam
from affect.training.recipe.objective import Objective, ccc_loss, compile_model, squared_and_ccc_loss
from affect.training.recipe.optimizer import make_optimizer, warm_up_and_cosine

read = keras.ops.convert_to_numpy
DRAWS = np.random.default_rng(0)
TRUTH, PREDICTION = (DRAWS.uniform(-1, 1, (32, 1)).astype(np.float32) for _ in range(2))


def test_the_ccc_loss_is_one_less_the_ccc_of_those_annotated() -> None:
    weights = np.tile([2.0, 0.0], 16).astype(np.float32)
    expected = 1 - metrics.ccc(TRUTH[::2, 0], PREDICTION[::2, 0])
    assert float(ccc_loss(TRUTH, PREDICTION, weights)) == pytest.approx(expected, abs=1e-5)


def test_both_losses_are_added_up() -> None:
    squared = np.mean((TRUTH - PREDICTION) ** 2)
    expected = squared + 1 - metrics.ccc(TRUTH[:, 0], PREDICTION[:, 0])
    assert float(squared_and_ccc_loss(TRUTH, PREDICTION)) == pytest.approx(expected, abs=1e-5)


def test_the_ccc_loss_of_one_image_has_a_gradient_that_is_a_number() -> None:
    inputs = keras.Input((1,))
    dense = layers.Dense(1, "tanh")
    model = keras.Model(inputs, {"emotion": layers.Dense(8, "softmax")(inputs), "valence": dense(inputs)})
    compile_model(model, make_optimizer(0.1), Objective({"emotion": 1.0, "valence": 1.0}, "ccc"))
    one = np.ones((1, 1), np.float32)
    weights = {"emotion": np.ones(1), "valence": np.ones(1)}
    model.fit(one, {"emotion": np.zeros(1, int), "valence": one}, sample_weight=weights, verbose=0)
    assert np.isfinite(read(dense.kernel)).all()


def test_the_ccc_loss_pulls_only_where_it_can_win() -> None:
    """With constant labels the CCC is 0 whatever is predicted, and a difference of large sums would be noise."""
    truth = np.full((16, 1), 0.7, np.float32)
    for draw in range(6):
        predictions = truth + np.random.default_rng(draw).uniform(-1e-4, 1e-4, truth.shape).astype(np.float32)
        inputs = keras.Input((1,))
        model = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones", name="valence")(inputs))
        model.compile(keras.optimizers.SGD(1.0), ccc_loss)
        model.fit(predictions, truth, batch_size=16, verbose=0)
        assert abs(float(read(model.get_layer("valence").kernel)[0, 0]) - 1) < 1e-3


def test_label_smoothing_spreads_its_share_over_all_expressions() -> None:
    loss = Objective({"emotion": 1.0}, shares=True, label_smoothing=0.2).losses()["emotion"]
    predicted = DRAWS.dirichlet(np.ones(8), 4).astype(np.float32)
    truth = np.eye(8, dtype=np.float32)[[0, 3, 3, 7]]
    expected = -((0.8 * truth + 0.2 / 8) * np.log(predicted)).sum(axis=1).mean()
    assert float(loss(truth, predicted)) == pytest.approx(expected, rel=1e-5)


def train_briefly(optimizer: keras.optimizers.Optimizer) -> tuple[list[np.ndarray], keras.Model]:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    hidden = layers.BatchNormalization(name="norm")(layers.Dense(6, "relu", name="hidden")(inputs))
    model = keras.Model(inputs, layers.Dense(1, name="out")(hidden))
    model.compile(optimizer, "mse")
    draws = np.random.default_rng(1)
    model.fit(draws.normal(size=(64, 5)), draws.normal(size=64), batch_size=8, epochs=2, shuffle=False, verbose=0)
    return [read(weight) for weight in model.trainable_weights], model


def test_with_a_weight_decay_it_is_keras_adamw_but_for_biases_and_norms() -> None:
    schedule = warm_up_and_cosine(0.01, 16, 0.25)
    theirs = keras.optimizers.AdamW(schedule, weight_decay=0.5)
    theirs.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    ours = make_optimizer(schedule, weight_decay=0.5)
    assert isinstance(ours, FusedAdam) == ON_TENSORFLOW
    expected, _ = train_briefly(theirs)
    found, model = train_briefly(ours)
    plain, _ = train_briefly(make_optimizer(schedule))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    decayed = [np.abs(one - other).max() for one, other in zip(found, plain, strict=True)]
    # One step's decay of a kernel, while a bias differs only by what the kernels changed.
    names = [weight.name for weight in model.trainable_weights]
    assert min(change for change, name in zip(decayed, names, strict=True) if name == "kernel") > 0.005


def test_averaged_weights_are_the_moving_average_of_the_steps() -> None:
    optimizer = make_optimizer(0.01, averaging=0.9)
    seen: list[np.ndarray] = []
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    dense = layers.Dense(1)
    model = keras.Model(inputs, dense(inputs))
    model.compile(optimizer, "mse")
    draws = np.random.default_rng(1)
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(read(dense.kernel)))
    kept: list[np.ndarray] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(read(dense.kernel)))
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    model.fit(draws.normal(size=(64, 5)), draws.normal(size=64), batch_size=8, verbose=0, callbacks=[note, swap, keep])
    average = seen[0]
    for kernel in seen[1:]:
        average = 0.9 * average + 0.1 * kernel
    np.testing.assert_allclose(kept[0], average, atol=1e-6)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.0), (5, 0.5), (10, 1.0), (55, 0.5), (100, 0.0)])
def test_the_rate_warms_up_and_falls_as_a_cosine(step: int, rate: float) -> None:
    assert float(warm_up_and_cosine(1.0, 100, 0.1)(step)) == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_at_least_one_step_of_few_falls(steps: int) -> None:
    rates = [float(warm_up_and_cosine(1.0, steps, 0.99)(step)) for step in range(steps + 1)]
    assert max(rates) == 1.0
    assert rates[-1] == pytest.approx(0, abs=1e-6)


def test_without_a_warm_up_the_rate_begins_at_its_highest() -> None:
    assert float(warm_up_and_cosine(1.0, 100, 0.0)(0)) == pytest.approx(1.0)
