"""The embedded weights are those that their records and their card describe."""

import hashlib
import json

import keras
import numpy as np
import pytest
from conftest import ROOT

from affect.models.backbones import build_backbone
from affect.plumbing.params import load_pretrain

WEIGHTS = ROOT / "data" / "weights"
BACKBONES = ["resnet50", "efficientnetb1"]


def read_record(backbone: str) -> dict:
    return json.loads((WEIGHTS / f"{backbone}.json").read_text())


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_record_is_of_the_file_and_of_the_params(backbone: str) -> None:
    record = read_record(backbone)
    assert record["sha256"] == hashlib.sha256((WEIGHTS / f"{backbone}.weights.h5").read_bytes()).hexdigest()
    pretrain = load_pretrain(ROOT / "data" / "pretrain.yaml")
    recipe = getattr(pretrain, backbone).model_dump()
    assert record["params"] == pretrain.model_dump(exclude=set(BACKBONES)) | recipe
    assert record["faces"] == pretrain.batch_size * pretrain.epoch_steps * recipe["epochs"]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_card_shows_the_record(backbone: str) -> None:
    record = read_record(backbone)
    scores = record["scores_on_unseen_drawn_faces"]
    shown = [f"{scores[name]:.3f}" for name in ("emotion_accuracy", "valence_ccc", "arousal_ccc")]
    cells = [backbone, f"{record['faces']:,}", *shown]
    card = (WEIGHTS / "README.md").read_text()
    assert f"| {' | '.join(cells)} |" in card
    assert f"`{record['commit']}`" in card
    assert f"`{record['sha256']}`" in card


def test_both_files_fit_into_git() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.glob("*.h5")) <= 60e6


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_starts_from_them(backbone: str) -> None:
    """Into single precision, with a memory of faces in every batch norm."""
    loaded = build_backbone(backbone, keras.Input((64, 64, 3)), str(WEIGHTS))
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())
    assert {weight.dtype for weight in loaded.trainable_weights} == {"float32"}
    norms = [layer for layer in loaded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(norm.moving_mean.numpy().any() for norm in norms)
