"""The embedded weights are those that their records and their card describe."""

import hashlib
import json

import keras
import numpy as np
import pytest
import yaml
from conftest import ROOT

from affect.models.backbones import BACKBONES, build_backbone
from affect.plumbing.params import load_pretrain
from affect.plumbing.paths import weights_card, weights_file

WEIGHTS = ROOT / "data" / "weights"
PRETRAIN = load_pretrain(ROOT / "data" / "pretrain.yaml")
EMBEDDED = sorted(folder.name for folder in WEIGHTS.iterdir() if weights_file(WEIGHTS, folder.name).is_file())


def read_card(backbone: str) -> dict:
    return json.loads((ROOT / weights_card(backbone)).read_text())


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbones_card_is_of_its_weights_and_of_the_params_or_says_that_there_are_none(backbone: str) -> None:
    card = read_card(backbone)
    if backbone not in EMBEDDED:
        assert card["sha256"] is None
        assert f"python src/pretrain.py {backbone} makes them" in card["note"]
        return
    assert card["sha256"] == hashlib.sha256(weights_file(WEIGHTS, backbone).read_bytes()).hexdigest()
    assert card["params"] == PRETRAIN.recipe(backbone)
    assert card["faces"] == PRETRAIN.batch_size * PRETRAIN.epoch_steps * PRETRAIN.find(backbone).epochs


def test_every_backbone_can_be_pretrained_and_those_with_weights_have_a_stage() -> None:
    assert set(PRETRAIN.networks) == set(BACKBONES) == {card.parent.name for card in WEIGHTS.glob("*/card.json")}
    stage = yaml.safe_load((ROOT / "data" / "dvc.yaml").read_text())["stages"]["pretrain"]
    assert sorted(stage["foreach"]) == EMBEDDED


@pytest.mark.parametrize("backbone", EMBEDDED)
def test_the_readme_shows_the_card(backbone: str) -> None:
    record = read_card(backbone)
    scores = record["scores_on_unseen_drawn_faces"]
    shown = [f"{scores[name]:.3f}" for name in ("emotion_accuracy", "valence_ccc", "arousal_ccc")]
    cells = [backbone, f"{record['faces']:,}", *shown]
    card = (WEIGHTS / "README.md").read_text()
    assert f"| {' | '.join(cells)} |" in card
    assert f"`{record['commit']}`" in card
    assert f"`{record['sha256']}`" in card


def test_all_files_fit_into_git() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.rglob("*.h5")) <= 130e6


@pytest.mark.parametrize("backbone", EMBEDDED)
def test_a_backbone_starts_from_them(backbone: str) -> None:
    """Into single precision, with a memory of faces in every batch norm."""
    loaded = build_backbone(backbone, keras.Input((64, 64, 3)), str(WEIGHTS))
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())
    assert {weight.dtype for weight in loaded.trainable_weights} == {"float32"}
    norms = [layer for layer in loaded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(norm.moving_mean.numpy().any() for norm in norms)
