"""Pretraining: faces that no sample holds, a run that goes on where it was stopped, and weights that can be loaded."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import Workspace, commit_all, refuse
from keras import layers
from ruamel.yaml import YAML

import pretrain
from affect.models import backend
from affect.models.backbones import build_backbone
from affect.plumbing.params import BACKBONES, Pretrain, PretrainedNetwork
from affect.plumbing.paths import weights_file
from affect.synthetic.faces import ACTION_UNITS, render_face
from affect.synthetic.pretraining import (
    PretrainingCheckpoint,
    build_pretraining_model,
    render_batches,
    save_backbone,
)
from affect.synthetic.stream import SyntheticFaces

BACKBONE = "efficientnetb1"
SIZE, BATCH = 64, 8
RECIPE = PretrainedNetwork(epochs=2, learning_rate=0.01, precision="float32")
SETTINGS = Pretrain(
    seed=3,
    expressiveness=1.0,
    image_size=SIZE,
    batch_size=BATCH,
    epoch_steps=2,
    val_steps=1,
    warm_up=0.25,
    weight_decay=0.01,
    batch_norm_momentum=0.9,
    networks={"efficientnetb1": RECIPE},
)


def test_targets_are_what_the_face_was_drawn_with() -> None:
    images, targets = SyntheticFaces(3, "train", SIZE, BATCH).batch(0)
    assert images.shape == (BATCH, SIZE, SIZE, 3)
    assert targets["emotion"].tolist() == list(range(8))
    assert targets["action_units"].shape == (BATCH, len(ACTION_UNITS))
    smile = [unit.startswith("AU12") for unit in ACTION_UNITS]
    assert targets["action_units"][1, smile].min() > 0.1 > targets["action_units"][5, smile].max()
    x, y = targets["landmarks"].reshape(BATCH, 68, 2).transpose(2, 0, 1)
    assert np.abs(targets["landmarks"]).mean() < 0.7
    # The person's right eye is left of the left one in the picture, and the chin below both.
    assert (x[:, 36:42].mean(axis=1) < x[:, 42:48].mean(axis=1)).all()
    assert (y[:, 8] > y[:, 36:48].mean(axis=1)).all()


def test_the_stream_shows_its_expressions_as_strongly_as_it_is_told() -> None:
    plain, subtle = (SyntheticFaces(3, "train", SIZE, BATCH, strength).batch(0)[1] for strength in (1.0, 0.5))
    np.testing.assert_array_equal(plain["valence"], subtle["valence"])
    assert subtle["action_units"].sum() < 0.8 * plain["action_units"].sum()


def test_no_face_comes_twice_or_from_the_sample() -> None:
    faces = [
        SyntheticFaces(3, purpose, SIZE, BATCH).batch(step)[0]
        for purpose, step in (("train", 0), ("train", 1), ("val", 0))
    ]
    sample = [render_face(3, face_id, face_id % 8, SIZE).image for face_id in range(2 * BATCH)]
    pictures = {image.tobytes() for image in [*np.concatenate(faces), *sample]}
    assert len(pictures) == 5 * BATCH


def test_batches_drawn_by_other_processes_are_those_of_their_steps() -> None:
    faces = SyntheticFaces(3, "train", SIZE, BATCH)
    streamed = list(render_batches(faces, range(2, 5)).as_numpy_iterator())
    assert len(streamed) == 3
    for step, (images, targets) in enumerate(streamed, start=2):
        expected_images, expected_targets = faces.batch(step)
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(targets["landmarks"], expected_targets["landmarks"])


def small_network() -> keras.Model:
    """A network of pretraining's outputs that trains in a moment; dropout makes it draw at random."""
    # Gradients are added up in the order of the layers' names, which Keras would number through all of a process.
    keras.backend.clear_session()
    backend.set_up(3)
    images = keras.Input((SIZE, SIZE, 3))
    features = layers.Conv2D(4, 8, 8, activation="relu")(layers.Rescaling(1 / 255)(images))
    pooled = layers.Dropout(0.2, name="dropout")(layers.Flatten()(layers.BatchNormalization()(features)))
    outputs = {
        "emotion": layers.Dense(8, "softmax")(pooled),
        "valence": layers.Dense(1, "tanh")(pooled),
        "arousal": layers.Dense(1, "tanh")(pooled),
        "action_units": layers.Dense(len(ACTION_UNITS), "sigmoid")(pooled),
        "landmarks": layers.Dense(136)(pooled),
    }
    return keras.Model(images, outputs)


class PowerCut(PretrainingCheckpoint):
    """Ends the run after the first epoch was kept."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        raise KeyboardInterrupt


def test_a_stopped_run_resumes_bit_identically(workspace: Workspace) -> None:
    folder = workspace.folder
    commit_all(folder)
    whole, resumed = small_network(), small_network()
    checkpoint = PretrainingCheckpoint(folder / "whole.weights.h5")
    scores = pretrain.train(whole, SETTINGS, RECIPE, checkpoint, folder / "whole")
    file, curves = folder / "cut.weights.h5", folder / "cut"
    with pytest.raises(KeyboardInterrupt):
        pretrain.train(small_network(), SETTINGS, RECIPE, PowerCut(file), curves)
    assert pretrain.train(resumed, SETTINGS, RECIPE, PretrainingCheckpoint(file), curves) == scores
    for array, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)
    curve = "plots/metrics/val/emotion_accuracy.tsv"
    assert (curves / curve).read_text().splitlines()[0].startswith("step")
    assert len((curves / curve).read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "residual_branches"), [("mobilenetv3large", 10), ("efficientnetv2b0", 15), ("vit", 24), ("hybrid", 12)]
)
def test_a_network_begins_as_the_identity_and_its_weights_start_a_backbone(
    name: str, residual_branches: int, tmp_path: Path
) -> None:
    backend.set_up(3)
    model, backbone = build_pretraining_model(name, SIZE, 0.9)
    images, targets = SyntheticFaces(3, "train", SIZE, BATCH).batch(0)
    outputs = model(images.astype(np.float32), training=False)
    assert {task: outputs[task].shape[0] for task in targets} == dict.fromkeys(targets, BATCH)
    zero = [weight for weight in backbone.trainable_weights if not weight.numpy().any()]
    branches = [weight for weight in zero if weight.path.endswith(("gamma", "kernel"))]
    assert len(branches) == residual_branches
    branches[0].assign(keras.ops.ones_like(branches[0]))
    save_backbone(name, backbone, weights_file(tmp_path, name))
    start = build_backbone(name, keras.Input((SIZE, SIZE, 3)), str(tmp_path))
    for saved, loaded in zip(backbone.get_weights(), start.get_weights(), strict=True):
        np.testing.assert_allclose(loaded, saved, rtol=1e-3, atol=1e-7)


def test_layers_of_a_dense_block_begin_by_reading_what_it_is_given() -> None:
    _, backbone = build_pretraining_model("densenet121", SIZE, 0.9)
    gammas = {layer.name: layer.gamma.numpy() for layer in backbone.layers if layer.name.endswith("_0_bn")}
    assert len(gammas) == 6 + 12 + 24 + 16
    assert all(set(gamma[: len(gammas[f"{name[:5]}_block1_0_bn"])]) == {1} for name, gamma in gammas.items())
    assert gammas["conv2_block3_0_bn"][64:] == pytest.approx([0.1] * 64)


def test_a_network_without_a_recipe_is_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.add_pretrain_params()
    monkeypatch.setattr("sys.argv", ["pretrain.py", "resnet51"])
    line = refuse(workspace, monkeypatch, pretrain.main)
    assert line == f"pretrain: data/pretrain.yaml: networks has no 'resnet51', but {', '.join(BACKBONES)}"


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = Workspace.create(tmp_path_factory.mktemp("pretrain"))
    yaml = YAML()
    file = workspace.add_pretrain_params()
    recipe = yaml.load(file)
    recipe |= {"image_size": SIZE, "batch_size": BATCH, "epoch_steps": 1, "val_steps": 1}
    recipe["networks"][BACKBONE]["epochs"] = 1
    yaml.dump(recipe, file)
    commit_all(workspace.folder)
    result = workspace.run_script("pretrain", BACKBONE)
    assert result.returncode == 0, result.stderr
    return workspace.folder


def test_the_script_leaves_weights_that_start_a_backbone_and_their_record(pretrained: Path) -> None:
    weights = pretrained / "data" / "weights"
    record = json.loads((weights / BACKBONE / "card.json").read_text())
    content = (weights / BACKBONE / "backbone.weights.h5").read_bytes()
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["faces"] == BATCH
    assert record["params"]["learning_rate"] == 0.0015
    assert (record["device"], record["packages"]["tensorflow"]) == ("cpu", version("tensorflow"))
    start = build_backbone(BACKBONE, keras.Input((SIZE, SIZE, 3)), str(weights))
    momentum_batches = start.get_layer("stem_bn").moving_mean.numpy()
    assert np.abs(momentum_batches).max() > 0, "the weights are those of a trained network"
    assert not list((pretrained / "data" / "cache" / "pretrain").iterdir()), "the checkpoint is gone"
