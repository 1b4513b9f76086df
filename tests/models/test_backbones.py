"""What the rest relies on, for every backbone: the cut, the copy to train, the saved file, sizes and weights."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import KerasTensor

from affect.models.backbones import BACKBONES, build_backbone
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, SplitModel, build_model
from affect.models.saved_model import save_model
from affect.plumbing.errors import InputError

SIZE = 64
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 4, 4, 3), np.uint8).repeat(SIZE // 4, 1).repeat(SIZE // 4, 2)
HEADS = Heads(8, 8, 8, "attention")
# Where 50 layers train; a cut further up would keep trained layers from their examples, one further down costs time.
CUTS = {
    "resnet50": "conv4_block4_out",
    "efficientnetb1": "block6c_add",
    "efficientnetb2": "block6c_add",
    "densenet121": "conv5_block9_concat",
    "efficientnetv2b0": "block6d_add",
    "mobilenetv3large": "expanded_conv_10_project_bn",
    "vit": "block5_add",
    "hybrid": "stage1_add",
}
# What black and white are before the first convolution: of ImageNet's statistics, or the ends of [-1, 1].
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
STANDARDISED = (-MEAN / DEVIATION, (1 - MEAN) / DEVIATION)
BGR_MEANS = np.array([103.939, 116.779, 123.68])
ENDS = (-np.ones(3), np.ones(3))
BLACK_AND_WHITE = {
    "resnet50": (-BGR_MEANS, 255 - BGR_MEANS),
    "densenet121": STANDARDISED,
    "efficientnetv2b0": STANDARDISED,
    "mobilenetv3large": ENDS,
    "vit": ENDS,
    "hybrid": ENDS,
}


@pytest.fixture(scope="module")
def networks() -> dict[str, SplitModel]:
    """Each backbone with pooling by attention that has learnt something."""
    keras.utils.set_random_seed(1)
    built = {name: build_model(name, SIZE, None, 50, HEADS) for name in BACKBONES}
    for network in built.values():
        score = network.full.get_layer("attention_score")
        score.kernel.assign(np.random.default_rng(2).normal(size=score.kernel.shape))
    return built


def run(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The output as one array. Without `predict`, which would compile each model for a few images."""
    outputs = model(inputs.astype(np.float32), training=False)
    return np.concatenate([np.asarray(output) for output in keras.tree.flatten(outputs)], axis=-1)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_halves_of_a_network_are_the_network(networks: dict[str, SplitModel], name: str) -> None:
    network = networks[name]
    assert network.frozen is not None
    assert network.frozen.layers[-1].name == CUTS[name]
    assert not network.frozen.trainable_weights
    features = run(network.frozen, IMAGES)
    assert features.std(axis=0).max() > 0
    np.testing.assert_allclose(run(network.trainable, features), run(network.full, IMAGES), atol=1e-6)


@pytest.mark.parametrize("name", BACKBONES)
def test_all_paths_pass_through_the_map_that_is_explained(networks: dict[str, SplitModel], name: str) -> None:
    model = networks[name].full
    maps = model.get_layer(BACKBONES[name].explained_layer).output
    side = SIZE // (16 if name == "vit" else 8)
    assert maps.shape[1:3] == (side, side)
    above, below = keras.Model(maps, model.output), keras.Model(model.input, maps)
    np.testing.assert_allclose(run(above, run(below, IMAGES)), run(model, IMAGES), atol=1e-5)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_copy_to_train_is_the_network_and_attends_in_single_precision(
    networks: dict[str, SplitModel], name: str
) -> None:
    model = networks[name].trainable
    features = run(networks[name].frozen, IMAGES)
    copy = clone_with_fused_ops(model, "mixed_bfloat16")
    np.testing.assert_allclose(run(copy, features), run(model, features), atol=0.05)
    assert copy.get_layer("attention_score").compute_dtype == "bfloat16"
    weights = run(keras.Model(copy.input, copy.get_layer("attention").output), features)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert [layer.trainable for layer in copy.layers] == [layer.trainable for layer in model.layers]


LOAD = """
import sys
import keras, numpy
for name in sys.argv[1:]:
    outputs = keras.models.load_model(f"{name}.keras")(numpy.load("images.npy").astype("float32"), training=False)
    numpy.save(f"{name}.npy", numpy.concatenate([numpy.asarray(outputs[task]) for task in sorted(outputs)], axis=1))
assert "affect" not in sys.modules
"""


def test_keras_alone_loads_what_is_saved(networks: dict[str, SplitModel], tmp_path: Path) -> None:
    """In an interpreter that can't import this repository; `make test-keras` does so in older versions of Keras."""
    names = ("vit", "hybrid", "mobilenetv3large", "efficientnetv2b0")
    np.save(tmp_path / "images.npy", IMAGES)
    for name in names:
        save_model(networks[name].full, tmp_path / f"{name}.keras")
    subprocess.run([sys.executable, "-I", "-c", LOAD, *names], cwd=tmp_path, check=True)
    for name in names:
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), run(networks[name].full, IMAGES), atol=1e-6)


@pytest.mark.parametrize("name", BLACK_AND_WHITE)
def test_a_backbone_sees_what_it_was_made_for(networks: dict[str, SplitModel], name: str) -> None:
    model = networks[name].full
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    # ResNet50 and DenseNet pad before it.
    before = keras.Model(model.input, first.input)
    images = np.stack([np.full((SIZE, SIZE, 3), value, np.uint8) for value in (0, 255)])
    middle = run(before, images)[:, SIZE // 2, SIZE // 2]
    np.testing.assert_allclose(middle, BLACK_AND_WHITE[name], atol=1e-4)


@pytest.mark.parametrize(("name", "layers", "cut"), [("vit", 8, "block11_add"), ("hybrid", 15, "block3_add")])
def test_a_transformer_is_cut_after_any_block(name: str, layers: int, cut: str) -> None:
    frozen = build_model(name, 32, None, layers, HEADS).frozen
    assert frozen is not None
    assert frozen.layers[-1].name == cut


def images_of(size: int) -> KerasTensor:
    return keras.Input((size, size, 3), name="image")


@pytest.mark.parametrize(("size", "near"), [(100, 96), (40, 32)])
def test_an_image_that_is_not_whole_patches_is_refused(size: int, near: int) -> None:
    with pytest.raises(InputError, match=f"data.image_size is {size}, but vit takes multiples of 16, such as {near}$"):
        build_backbone("vit", images_of(size), None)
    assert build_backbone("hybrid", images_of(size), None).output.shape[1] == -(-size // 16)


@pytest.mark.parametrize("name", ["vit", "hybrid"])
def test_weights_of_one_image_size_start_another(tmp_path: Path, name: str) -> None:
    source = BACKBONES[name].construct(images_of(64), None)
    file = tmp_path / name / "backbone.weights.h5"
    file.parent.mkdir()
    source.save_weights(file)
    same, larger = (build_backbone(name, images_of(size), str(tmp_path)) for size in (64, 128))
    for expected, weight in zip(source.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    for expected, weight in zip(source.weights, larger.weights, strict=True):
        if expected.path == "position_embedding/bias":
            assert (expected.shape, weight.shape) == ((4, 4, 192), (8, 8, 192))
            halved = weight.numpy().reshape(4, 2, 4, 2, 192).mean(axis=(1, 3))
            assert np.corrcoef(halved.ravel(), expected.numpy().ravel())[0, 1] > 0.95
        else:
            np.testing.assert_array_equal(weight.numpy(), expected.numpy())


@pytest.mark.parametrize("name", ["vit", "hybrid"])
def test_imagenet_weights_that_nobody_has_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"there are no imagenet weights of {name}; .*{name}/backbone\.weights\.h5"):
        build_backbone(name, images_of(32), "imagenet")
