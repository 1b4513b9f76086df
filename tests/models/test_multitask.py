"""The networks: size, what trains, where they are cut, and how their first weights are loaded."""

import shutil
import typing
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

from affect.models.backbones import BACKBONES, build_backbone
from affect.models.multitask import Heads, SplitModel, build_model
from affect.models.saved_model import load_model, model_size
from affect.plumbing.errors import InputError
from affect.plumbing.params import Backbone

UNITS = Heads(512, 256, 128)
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)

# A cut further down would keep trained layers from their examples; one further up would cost time at each step.
CUTS = {"resnet50": "conv4_block4_out", "efficientnetb1": "block6c_add"}
PARAMETERS = {"resnet50": 24_901_770, "efficientnetb1": 7_496_081}


@pytest.fixture(scope="module", params=PARAMETERS)
def network(request: pytest.FixtureRequest) -> SplitModel:
    return build_model(request.param, 64, None, 50, UNITS)


def backbone_layers(model: keras.Model) -> list[layers.Layer]:
    names = [layer.name for layer in model.layers]
    return model.layers[: names.index("pooling")]


def test_every_backbone_of_params_is_in_the_registry() -> None:
    assert set(typing.get_args(Backbone)) == set(BACKBONES)


def test_parameters_are_the_backbones_and_the_heads(network: SplitModel, tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    network.full.save(file)
    counted = model_size(load_model(file), file)
    assert counted["parameters"] == PARAMETERS[network.full.name]
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable.trainable_weights)
    assert counted["trainable_parameters"] == trained < counted["parameters"]
    assert counted["size_mb"] == pytest.approx(file.stat().st_size / 1e6, abs=0.05)


def test_the_top_50_layers_train(network: SplitModel) -> None:
    trainable = [layer.trainable for layer in backbone_layers(network.full)]
    assert sum(trainable) == 50
    assert all(trainable[-50:])


def test_the_cut_is_the_last_bottleneck_under_what_trains(network: SplitModel) -> None:
    assert network.frozen is not None
    assert network.frozen.layers[-1].name == CUTS[network.full.name]
    assert not network.frozen.trainable_weights


def test_both_halves_together_are_the_model(network: SplitModel) -> None:
    assert network.frozen is not None
    whole = network.full.predict_on_batch(IMAGES)
    halves = network.trainable.predict_on_batch(network.frozen.predict_on_batch(IMAGES))
    for task in ("emotion", "valence", "arousal"):
        np.testing.assert_allclose(halves[task], whole[task], atol=1e-6)


def test_frozen_layers_stay_in_inference_mode_while_training(network: SplitModel) -> None:
    """Keras goes on applying the stochastic depth of frozen layers unless it is switched off."""
    assert network.frozen is not None
    first, second = (np.asarray(network.frozen(IMAGES, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, np.asarray(network.frozen(IMAGES, training=False)), atol=1e-6)


def test_stochastic_depth_goes_on_in_layers_that_train() -> None:
    network = build_model("efficientnetb1", 64, None, 50, UNITS)
    rates = {layer.name: layer.rate for layer in network.full.layers if isinstance(layer, layers.Dropout)}
    assert sum(rate > 0 for rate in rates.values()) == 3
    assert sum(rate == 0 for rate in rates.values()) == 13


def test_with_no_frozen_layer_the_images_are_the_features() -> None:
    whole = len(backbone_layers(build_model("resnet50", 64, None, 0, UNITS).full))
    network = build_model("resnet50", 64, None, whole, UNITS)
    assert network.frozen is None
    assert network.trainable is network.full


def test_all_layers_may_train_but_their_batch_norm() -> None:
    network = build_model("efficientnetb1", 64, None, None, UNITS, freeze_batch_norm=True)
    assert network.frozen is None
    norms = [layer for layer in network.full.layers if isinstance(layer, layers.BatchNormalization)]
    assert norms
    assert not any(layer.trainable for layer in norms)
    assert all(layer.trainable for layer in network.full.layers if isinstance(layer, layers.Conv2D))


def test_dropout_drops_pooled_features_in_training_alone() -> None:
    heads = Heads(512, 256, 128, dropout=0.5)
    network = build_model("efficientnetb1", 64, None, 50, heads)
    pooled = network.full.get_layer("pooling").output
    dropped = keras.Model(network.full.input, network.full.get_layer("dropout").output)
    expected = keras.Model(network.full.input, pooled)(IMAGES)
    np.testing.assert_array_equal(dropped(IMAGES, training=False), expected)
    zeros = (np.asarray(network.full.get_layer("dropout")(expected, training=True)) == 0).mean()
    assert 0.4 < zeros < 0.6
    assert "dropout" not in [layer.name for layer in build_model("efficientnetb1", 64, None, 50, UNITS).full.layers]


def test_more_layers_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match=r"model\.fine_tune_layers is 1000, but resnet50 has \d+ layers"):
        build_model("resnet50", 64, None, 1000, UNITS)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(InputError, match="'resnet51' is not one of resnet50, "):
        build_model("resnet51", 64, None, 50, UNITS)


def test_heads_are_those_of_the_tasks() -> None:
    network = build_model("efficientnetb1", 64, None, 50, UNITS, ("emotion",))
    assert set(network.full.output) == {"emotion"}


def test_attention_starts_as_the_average_and_then_weighs_each_position_by_its_score() -> None:
    model = build_model("hybrid", 64, None, 50, Heads(512, 256, 128, "attention")).full
    names = ("norm", "attention", "pooling")
    look = keras.Model(model.input, [model.get_layer(name).output for name in names])

    def pool() -> tuple[np.ndarray, ...]:
        maps, weights, pooled = (np.asarray(output) for output in look(IMAGES.astype(np.float32)))
        return maps.reshape(2, 16, 256), weights, pooled

    vectors, _, pooled = pool()
    np.testing.assert_allclose(pooled, vectors.mean(axis=1), atol=1e-5)
    kernel = np.random.default_rng(1).normal(size=(1, 1, 256, 1)) / 8
    model.get_layer("attention_score").kernel.assign(kernel)
    vectors, weights, pooled = pool()
    scores = np.exp(vectors @ kernel[0, 0, :, 0])
    np.testing.assert_allclose(weights, scores / scores.sum(axis=1, keepdims=True), rtol=1e-3)
    assert np.ptp(weights) > 0.01
    np.testing.assert_allclose(pooled, (vectors * weights[..., None]).sum(axis=1), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "preprocess_input"),
    [
        ("resnet50", keras.applications.resnet.preprocess_input),
        ("densenet121", keras.applications.densenet.preprocess_input),
    ],
)
def test_preprocessing_inside_the_model_is_kerass_own(name: str, preprocess_input: typing.Callable) -> None:
    images = keras.Input((64, 64, 3))
    prepared = keras.Model(images, BACKBONES[name].preprocess(images)).predict_on_batch(IMAGES)
    np.testing.assert_allclose(prepared, preprocess_input(IMAGES.astype(np.float32)), atol=1e-3)


def test_weights_of_a_folder_are_loaded_even_in_half_precision(tmp_path: Path) -> None:
    source = BACKBONES["efficientnetb1"].construct(keras.Input((64, 64, 3)), None)
    file = tmp_path / "efficientnetb1" / "backbone.weights.h5"
    file.parent.mkdir()
    source.save_weights(file)
    compress(file)
    loaded = build_backbone("efficientnetb1", keras.Input((96, 96, 3)), str(tmp_path))
    for expected, weight in zip(source.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(expected.astype(np.float16), weight.astype(np.float16))
        assert weight.dtype == expected.dtype


def test_imagenet_weights_come_from_kerass_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real loading code of keras.applications, on a file of ours in the place of the download."""
    source = BACKBONES["resnet50"].construct(keras.Input((64, 64, 3)), None)
    file = tmp_path / "models" / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    file.parent.mkdir()
    with h5py.File(file, "w") as target:
        save_weights_to_hdf5_group(target, source)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *_, **__: True)
    loaded = build_backbone("resnet50", keras.Input((64, 64, 3)), "imagenet")
    for expected, weight in zip(source.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, weight)


def test_a_failed_download_is_an_error_not_a_random_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", refuse_connection)
    with pytest.raises(InputError, match=r"model\.weights: the imagenet weights of resnet50 can't be had"):
        build_backbone("resnet50", keras.Input((64, 64, 3)), "imagenet")
    assert not list(tmp_path.rglob("*.h5"))


def refuse_connection(*_: object, **__: object) -> None:
    raise OSError("no network")


def compress(file: Path) -> None:
    """Rewrite a weights file with float16 datasets, gzip and shuffle."""
    original = file.with_suffix(".original")
    shutil.move(file, original)
    with h5py.File(original) as source, h5py.File(file, "w") as target:

        def copy(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Group):
                target.require_group(name).attrs.update(item.attrs)
            elif item.ndim and item.dtype == np.float32:
                target.create_dataset(name, data=item[()].astype(np.float16), compression="gzip", shuffle=True)
            else:
                target.create_dataset(name, data=item[()])

        source.visititems(copy)
        target.attrs.update(source.attrs)


@pytest.mark.parametrize(
    ("backbone", "names"), [("resnet50", {"subtract_mean"}), ("densenet121", {"scale", "standardise"})]
)
def test_the_layers_before_a_backbone_keep_their_names(backbone: str, names: set[str]) -> None:
    """They stand in every saved model."""
    model = build_backbone(backbone, keras.Input((64, 64, 3), name="image"), weights=None)
    assert names < {layer.name for layer in model.layers}
