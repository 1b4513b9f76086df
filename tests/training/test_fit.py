"""Training from stored features is training the whole network; what is not annotated does not count."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from affect.core.labels import VOTES
from affect.evaluation import metrics
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, SplitModel, build_model
from affect.plumbing.errors import InputError
from affect.training.feature_cache import compute_features
from affect.training.fit import fit
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import (
    Examples,
    annotated_tasks,
    balanced_class_weights,
    has_votes,
    make_examples,
)
from affect.training.recipe.objective import ConcordanceCorrelation, Objective, compile_model
from affect.training.recipe.optimizer import make_optimizer

SIZE = 64
BATCH = 8
FLOAT32 = np.dtype(np.float32)
TASKS = ("emotion", "valence", "arousal")
LOSS_WEIGHTS = dict.fromkeys(TASKS, 1.0)


def compile_with(
    model: keras.Model, tasks: tuple[str, ...], rate: float, loss_weights: dict[str, float], shares: bool = False
) -> None:
    """Compile a model that learns these tasks by the report's recipe."""
    objective = Objective({task: loss_weights[task] for task in tasks}, shares=shares)
    compile_model(model, make_optimizer(rate), objective)


def make_images(count: int, seed: int) -> np.ndarray:
    """Textures of a few large patches: unlike noise, they look different to a network."""
    patches = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), np.uint8)
    return patches.repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2)


def make_index(count: int, seed: int) -> pd.DataFrame:
    draws = np.random.default_rng(seed)
    affect = {task: draws.uniform(-1, 1, count) for task in TASKS[1:]}
    return pd.DataFrame({"expression": draws.integers(0, 8, count)} | affect)


TRAIN_IMAGES, VAL_IMAGES = make_images(32, 1), make_images(16, 2)
TRAIN_INDEX = make_index(32, 3)


def build_calibrated(backbone: str) -> SplitModel:
    """Build a network whose batch norm knows the images' statistics, so that its predictions differ between them."""
    keras.utils.set_random_seed(5)
    network = build_model(backbone, SIZE, None, 50, Heads(64, 64, 64))
    trainable = [layer.trainable for layer in network.full.layers]
    for layer in network.full.layers:
        layer.trainable = True
        if isinstance(layer, layers.BatchNormalization):
            momentum, layer.momentum = layer.momentum, 0.0
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    network.full(TRAIN_IMAGES.astype(np.float32), training=True)
    for layer, was_trainable in zip(network.full.layers, trainable, strict=True):
        layer.trainable = was_trainable
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum
    return network


def train(trained: keras.Model, inputs: np.ndarray, optimizer: keras.Optimizer | None = None) -> None:
    # Adam turns the sign of a gradient near 0 into a whole step: at a small rate, rounding stays rounding.
    compile_with(trained, TASKS, 1e-5, LOSS_WEIGHTS)
    if optimizer is not None:
        trained.optimizer = optimizer
    batches = Batches(make_examples(inputs, TRAIN_INDEX, TASKS), BATCH, Treatment(1))
    trained.fit(batches.dataset(), shuffle=False, verbose=0)


def predict(network: SplitModel) -> np.ndarray:
    output = network.full.predict_on_batch(VAL_IMAGES)
    return np.concatenate([output[task] for task in TASKS], axis=1)


@pytest.fixture(scope="module", params=["resnet50", "efficientnetb1"])
def predictions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Predictions before training, and after training the whole network with nothing but Keras's own, training as
    the stage does from features and from images, and training so from disturbed features."""
    network = build_calibrated(request.param)
    assert network.frozen is not None
    features = compute_features(network.frozen, TRAIN_IMAGES, BATCH, FLOAT32, tmp_path_factory.mktemp("scratch"))[:]
    noise = np.random.default_rng(0).standard_normal(features.shape) * 1e-2 * features.std()
    inputs = {
        "features": (network.trainable, features),
        "images": (network.full, TRAIN_IMAGES),
        "disturbed": (network.trainable, features + noise.astype(np.float32)),
    }
    learners = {name: clone_with_fused_ops(trained, "float32") for name, (trained, _) in inputs.items()}
    predictions = {"before": predict(network)}
    start = network.full.get_weights()
    train(network.full, TRAIN_IMAGES, keras.optimizers.Adam(1e-5))
    predictions["whole"] = predict(network)
    for name, (trained, values) in inputs.items():
        network.full.set_weights(start)
        train(learners[name], values)
        trained.set_weights(learners[name].get_weights())
        predictions[name] = predict(network)
    return predictions


@pytest.mark.parametrize("inputs", ["features", "images"])
def test_training_as_the_stage_does_equals_training_the_whole_network(
    predictions: dict[str, np.ndarray], inputs: str
) -> None:
    assert np.ptp(predictions["before"], axis=0).min() >= 0.05
    assert np.abs(predictions["whole"] - predictions["before"]).max() > 0.05
    np.testing.assert_allclose(predictions[inputs], predictions["whole"], atol=1e-3, rtol=0)


def test_the_equality_notices_features_that_are_one_percent_off(predictions: dict[str, np.ndarray]) -> None:
    assert np.abs(predictions["disturbed"] - predictions["whole"]).max() > 1e-3


def test_each_epoch_has_every_example_once_in_an_order_of_its_own() -> None:
    inputs = np.arange(10)[:, None]
    batches = Batches(Examples(inputs, {}, {}), 4, Treatment(1))
    assert len(batches) == 3
    epochs = [np.concatenate([batches.batch(3 * epoch + step)[0] for step in range(3)])[:, 0] for epoch in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert epochs[0].tolist() != epochs[1].tolist() != epochs[2].tolist()


def test_the_order_depends_on_the_seed_and_the_epoch_alone() -> None:
    inputs = np.arange(50)[:, None]
    late = Batches(Examples(inputs, {}, {}), 50, Treatment(1)).batch(7)[0]
    batches = Batches(Examples(inputs, {}, {}), 50, Treatment(1))
    np.testing.assert_array_equal([batches.batch(step)[0] for step in range(8)][7], late)
    assert Batches(Examples(inputs, {}, {}), 50, Treatment(2)).batch(7)[0].tolist() != late.tolist()


def test_a_stream_is_the_batches_of_its_epochs() -> None:
    examples = make_examples(TRAIN_IMAGES, TRAIN_INDEX, TASKS)
    batches = Batches(examples, 12, Treatment(1))
    streamed = list(batches.dataset(range(2)).as_numpy_iterator())
    assert [len(inputs) for inputs, _, _ in streamed] == [12, 12, 8] * 2
    for step, (inputs, targets, _) in enumerate(streamed):
        np.testing.assert_array_equal(inputs, batches.batch(step)[0])
        np.testing.assert_array_equal(targets["valence"], batches.batch(step)[1]["valence"])


def test_what_is_not_annotated_is_masked_out_of_the_loss() -> None:
    """The loss, and so the gradients, are those of the annotated images alone."""
    inputs = keras.Input((2,))
    outputs = {"emotion": layers.Dense(8, "softmax")(inputs), "valence": layers.Dense(1)(inputs)}
    model = keras.Model(inputs, outputs)
    compile_with(model, ("emotion", "valence"), 1e-3, LOSS_WEIGHTS)
    features = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    index = pd.DataFrame({"expression": [0, 1, 2, 3], "valence": [0.5, np.nan, -0.5, np.nan]})
    examples = make_examples(features, index, ("emotion", "valence"))
    results = model.evaluate(Batches(examples, 4).dataset(), verbose=0, return_dict=True)
    predicted = model.predict_on_batch(features)["valence"][[0, 2], 0]
    assert results["valence_loss"] == pytest.approx(np.mean((predicted - [0.5, -0.5]) ** 2), rel=1e-5)
    assert results["valence_rmse"] == pytest.approx(np.sqrt(results["valence_loss"]), rel=1e-5)


class Logs(keras.callbacks.Callback):
    """Keeps what the last epoch logged."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.last = dict(logs or {})


def fit_on_numbers(
    valence: np.ndarray, weights: np.ndarray | None = None, votes: np.ndarray | None = None
) -> tuple[dict[str, float], np.ndarray, dict]:
    """Train on 17 examples, the last of which is an odd one, in batches of 8, 8 and 1, at a rate that changes nothing.

    Returns the logs, the expressions (the commonest votes where there are votes) and the predictions.
    """
    draws = np.random.default_rng(0)
    inputs = keras.Input((4,))
    outputs = {"emotion": layers.Dense(8, "softmax")(inputs), "valence": layers.Dense(1, "tanh")(inputs)}
    model = keras.Model(inputs, outputs)
    features = draws.normal(size=(17, 4)).astype(np.float32)
    features[16] *= 9
    index = pd.DataFrame({"expression": draws.integers(0, 8, 17), "valence": valence})
    if votes is not None:
        index = index.assign(expression=votes.argmax(axis=1), **dict(zip(VOTES, votes.T, strict=True)))
    batches = Batches(make_examples(features, index, TASKS[:2], weights, has_votes(index)), BATCH)
    compile_with(model, TASKS[:2], 1e-9, {"emotion": 1.0, "valence": 3.0}, has_votes(index))
    fit(model, batches, batches, range(1), [logs := Logs()])
    return logs.last, index["expression"].to_numpy(), model.predict_on_batch(features)


@pytest.mark.parametrize("annotated", [slice(None), slice(15, None), slice(3, 4)], ids=["all", "two", "one"])
def test_a_logged_loss_is_the_mean_over_the_images_that_have_the_label(annotated: slice) -> None:
    """In batches without one, a batch of one, and with few of them."""
    valence = np.full(17, np.nan)
    valence[annotated] = np.linspace(-0.9, 0.9, 17)[annotated]
    logs, expressions, predicted = fit_on_numbers(valence)
    emotion = -np.log(predicted["emotion"][np.arange(17), expressions]).mean()
    squared = np.nanmean((predicted["valence"][:, 0] - valence) ** 2)
    for side in ("", "val_"):
        assert logs[f"{side}emotion_loss"] == pytest.approx(emotion, rel=1e-4)
        assert logs[f"{side}valence_loss"] == pytest.approx(squared, rel=1e-4)
        assert logs[f"{side}valence_rmse"] == pytest.approx(np.sqrt(squared), rel=1e-4)
        assert logs[f"{side}loss"] == pytest.approx(emotion + 3 * squared, rel=1e-4)


def test_a_balanced_loss_is_the_mean_of_the_expressions_means() -> None:
    _, expressions, _ = fit_on_numbers(np.zeros(17))
    logs, _, predicted = fit_on_numbers(np.zeros(17), balanced_class_weights(pd.Series(expressions)))
    losses = pd.Series(-np.log(predicted["emotion"][np.arange(17), expressions]))
    assert logs["val_emotion_loss"] == pytest.approx(losses.groupby(expressions).mean().mean(), rel=1e-4)


def draw_votes(images: int) -> np.ndarray:
    """Draw the shares of ten annotators' votes."""
    draws = np.random.default_rng(4)
    return draws.multinomial(10, draws.dirichlet(np.full(8, 0.3), images)) / 10


def test_votes_are_learnt_by_the_cross_entropy_against_their_shares() -> None:
    keras.utils.set_random_seed(1)
    votes = draw_votes(17)
    logs, expressions, predicted = fit_on_numbers(np.zeros(17), votes=votes)
    expected = -(votes * np.log(predicted["emotion"])).sum(axis=1).mean()
    assert abs(expected + np.log(predicted["emotion"][np.arange(17), expressions]).mean()) > 0.01
    for side in ("", "val_"):
        assert logs[f"{side}emotion_loss"] == pytest.approx(expected, rel=1e-4)
        right = predicted["emotion"].argmax(axis=1) == expressions
        assert logs[f"{side}emotion_accuracy"] == pytest.approx(right.mean(), rel=1e-4)


def test_the_loss_of_votes_is_weighted_by_the_commonest_expression() -> None:
    votes = draw_votes(17)
    weights = balanced_class_weights(pd.Series(votes.argmax(axis=1)))
    logs, expressions, predicted = fit_on_numbers(np.zeros(17), weights, votes)
    losses = pd.Series(-(votes * np.log(predicted["emotion"])).sum(axis=1))
    assert logs["val_emotion_loss"] == pytest.approx(losses.groupby(expressions).mean().mean(), rel=1e-4)


def test_a_network_learns_how_far_annotators_agree() -> None:
    """Of two kinds of images, the one divides the annotators and the other does not."""
    keras.utils.set_random_seed(1)
    kind = np.tile([0, 1], 32)
    shares = np.array([[0.6, 0.4, 0, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0, 0, 0]])
    index = pd.DataFrame({"expression": 0} | dict(zip(VOTES, shares[kind].T, strict=True)), index=range(64))
    inputs = keras.Input((2,))
    model = keras.Model(inputs, {"emotion": layers.Dense(8, "softmax")(inputs)})
    compile_with(model, TASKS[:1], 0.1, LOSS_WEIGHTS, has_votes(index))
    batches = Batches(make_examples(np.eye(2, dtype=np.float32)[kind], index, TASKS[:1], shares=True), 16, Treatment(0))
    fit(model, batches, batches, range(60), [])
    predicted = model.predict_on_batch(np.eye(2, dtype=np.float32))["emotion"]
    np.testing.assert_allclose(predicted, shares, atol=0.05)


def test_without_votes_the_expression_is_learnt_as_a_number() -> None:
    assert not has_votes(TRAIN_INDEX)
    target = make_examples(TRAIN_IMAGES, TRAIN_INDEX, TASKS).targets["emotion"]
    np.testing.assert_array_equal(target, TRAIN_INDEX["expression"])


def test_each_annotated_image_pulls_as_much_whatever_its_batch() -> None:
    """The gradients of three annotated images add up to the same, in one batch or in batches with one and with two."""
    features = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    valence = np.full(8, np.nan)
    valence[[0, 1, 5]] = (0.9, -0.4, 0.7)
    examples = make_examples(features, pd.DataFrame({"expression": 0, "valence": valence}), TASKS[:2])
    changes = []
    for batch_size in (4, 8):
        inputs = keras.Input((2,))
        dense = layers.Dense(1, kernel_initializer="ones")
        model = keras.Model(inputs, {"emotion": layers.Dense(8, "softmax")(inputs), "valence": dense(inputs)})
        compile_with(model, TASKS[:2], 1.0, {"emotion": 0.0, "valence": 1.0})
        # So small a rate that the second step begins where the first did.
        model.optimizer = keras.optimizers.SGD(1e-3 * batch_size)
        model.fit(Batches(examples, batch_size).dataset(), shuffle=False, verbose=0)
        changes.append(dense.kernel.numpy() - 1)
    np.testing.assert_allclose(changes[0], changes[1], rtol=0.02)


def test_tasks_without_a_label_are_not_learnt() -> None:
    index = pd.DataFrame({"expression": [0, 1], "valence": [np.nan, np.nan], "arousal": [np.nan, 0.1]})
    assert annotated_tasks(index) == ("emotion", "arousal")


@pytest.mark.parametrize("tasks", [TASKS, TASKS[:1]])
def test_the_curves_have_the_same_names_whatever_is_learnt(tasks: tuple[str, ...]) -> None:
    inputs = keras.Input((4,))
    sizes = {"emotion": 8, "valence": 1, "arousal": 1}
    training_model = keras.Model(inputs, {task: layers.Dense(sizes[task], name=task)(inputs) for task in tasks})
    compile_with(training_model, tasks, 1e-3, LOSS_WEIGHTS)
    examples = make_examples(np.zeros((8, 4), np.float32), TRAIN_INDEX[:8], tasks)
    logs = training_model.evaluate(Batches(examples, BATCH).dataset(), return_dict=True, verbose=0)
    assert {"loss", "emotion_accuracy"} <= set(logs)


def test_balanced_weights_make_each_expression_count_the_same() -> None:
    expressions = pd.Series([0] * 6 + [3] * 3 + [7])
    weights = balanced_class_weights(expressions)
    sums = pd.Series(weights[expressions]).groupby(expressions).sum()
    np.testing.assert_allclose(sums, 10 / 3)
    assert weights[[1, 2, 4, 5, 6]].tolist() == [0] * 5


def test_ccc_of_the_curves_is_that_of_the_metrics_over_all_batches() -> None:
    draws = np.random.default_rng(0)
    truth, prediction = draws.uniform(-1, 1, 64), draws.uniform(-1, 1, 64)
    metric = ConcordanceCorrelation()
    for rows in np.split(np.arange(64), 4):
        metric.update_state(truth[rows, None], prediction[rows, None])
    assert float(np.asarray(metric.result())) == pytest.approx(metrics.ccc(truth, prediction), abs=1e-5)


def test_a_loss_that_is_no_number_stops_with_advice() -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, {"emotion": layers.Dense(8, "softmax")(inputs)})
    compile_with(model, ("emotion",), 1e-3, LOSS_WEIGHTS)
    features = np.full((4, 2), np.nan, np.float32)
    batches = Batches(
        make_examples(features, pd.DataFrame({"expression": [0, 1, 2, 3]}), ("emotion",)), 2, Treatment(0)
    )
    with pytest.raises(InputError, match=r"lower train\.learning_rate"):
        fit(model, batches, batches, epochs=range(1), callbacks=[])


def test_stored_features_leave_no_file(tmp_path: Path) -> None:
    images = keras.Input((4, 4, 3))
    frozen = keras.Model(images, layers.Rescaling(0.5)(images))
    features = compute_features(frozen, np.ones((5, 4, 4, 3), np.uint8), 2, FLOAT32, tmp_path)
    np.testing.assert_array_equal(features[:], 0.5)
    assert not list(tmp_path.iterdir())
