"""What the training stage decides: what of the frozen layers it stores, and which checkpoint is its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import train
from affect.core.labels import VOTES
from affect.core.records import Records
from affect.models import backend
from affect.models.multitask import Heads, SplitModel, build_model
from affect.plumbing import paths
from affect.plumbing.params import Train, load_params
from affect.training.distribution import ALONE
from affect.training.feature_cache import cache_features
from affect.training.input.batches import Batches
from affect.training.input.examples import Array, Examples, make_examples
from affect.training.recipe.choice import choose_val_treatment

SIZE = 32
IMAGES = [np.zeros((count, SIZE, SIZE, 3), np.uint8) for count in (3, 2)]


@pytest.fixture(scope="module")
def network() -> SplitModel:
    backend.set_up(1)
    return build_model("efficientnetb1", SIZE, None, 50, Heads(8, 8, 8))


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def settings(**changed: object) -> Train:
    return load_params(ROOT / "params.yaml").train.model_copy(update=changed)


def choose(network: SplitModel, cache_limit: float, precision: str = "float32") -> tuple[keras.Model, Sequence[Array]]:
    return cache_features(network, IMAGES, 16, precision, cache_limit, paths.CACHE)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_output_that_fits_is_stored_as_the_trained_layers_take_it(
    network: SplitModel, capsys: pytest.CaptureFixture[str], precision: str
) -> None:
    trained, inputs = choose(network, 1, precision)
    assert trained is network.trainable
    assert network.frozen is not None
    assert [part.shape for part in inputs] == [(count, *network.frozen.output.shape[1:]) for count in (3, 2)]
    assert {part.dtype.name for part in inputs} == {precision.removeprefix("mixed_")}
    assert not capsys.readouterr().err


def test_output_over_the_limit_is_computed_in_every_step(
    network: SplitModel, capsys: pytest.CaptureFixture[str]
) -> None:
    trained, inputs = choose(network, cache_limit=1e-6)
    assert trained is network.full
    assert inputs is IMAGES
    assert "train.cache_limit is 1e-06" in capsys.readouterr().err


def test_output_over_the_free_space_is_computed_in_every_step(
    network: SplitModel, scratch: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    trained, _ = choose(network, cache_limit=1)
    assert trained is network.full
    assert f"the disk of {scratch} has 0.0 free" in capsys.readouterr().err


@pytest.mark.parametrize("piece", ["mixup", "cutmix"])
def test_images_are_mixed_and_not_their_features(network: SplitModel, piece: str) -> None:
    """Else another model would come of a fuller disk, on which no features are stored."""
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"train": settings(**{piece: 0.4})})
    training, val = (cast(Records, SimpleNamespace(images=images)) for images in IMAGES)
    trained, inputs = train.choose_inputs(network, training, val, params, "float32", ALONE)
    assert trained is network.full
    assert inputs == IMAGES


def test_a_ccc_is_validated_on_batches_of_all_expressions() -> None:
    assert choose_val_treatment(settings()) is None
    index = pd.DataFrame({"expression": np.repeat(range(8), 16), "valence": 0.0})
    examples = make_examples(np.zeros((128, 1), np.float32), index, ("emotion", "valence"))
    batches = Batches(examples, 16, choose_val_treatment(settings(va_loss="ccc")))
    shown = [batches.batch(step)[1]["emotion"] for step in range(len(batches))]
    assert min(len(set(expressions.tolist())) for expressions in shown) > 3
    assert sorted(np.concatenate(shown)) == sorted(index["expression"])


@pytest.mark.parametrize("changed", [{"mixup": 0.2}, {"cutmix": 1.0}, {"va_loss": "ccc"}, {"va_loss": "both"}])
def test_what_needs_others_in_a_batch_is_refused_for_single_images(changed: dict[str, object]) -> None:
    known = settings().model_dump()
    Train.model_validate(known | {"batch_size": 1})
    with pytest.raises(ValueError, match="at least two images at a time"):
        Train.model_validate(known | {"batch_size": 1} | changed)


def test_a_balanced_loss_is_balanced_in_validation_too(network: SplitModel, monkeypatch: pytest.MonkeyPatch) -> None:
    weights: list[np.ndarray] = []

    def note(
        inputs: Array, index: pd.DataFrame, tasks: Sequence[str], class_weights: np.ndarray, shares: bool
    ) -> Examples:
        weights.append(class_weights)
        return make_examples(inputs, index, tasks, class_weights, shares)

    monkeypatch.setattr(train, "make_examples", note)
    monkeypatch.setattr(train, "training_fingerprint", lambda *_: "")
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"train": settings(class_weight="balanced", epochs=1)})
    records, val_records = (
        cast(
            Records,
            SimpleNamespace(images=images, index=pd.DataFrame({"expression": labels, "valence": 0, "arousal": 0})),
        )
        for images, labels in zip(IMAGES, ([0, 0, 1], [0, 1]), strict=True)
    )
    train.train_model(network, records, val_records, ("emotion", "valence", "arousal"), params, "float32")
    assert [part[:2].tolist() for part in weights] == [[0.75, 1.5], [1.0, 1.0]]


def test_votes_in_the_records_are_what_is_learnt(
    network: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "training_fingerprint", lambda *_: "")
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"train": settings(epochs=1, learning_rate=1e-9)})
    shares = np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0])
    index = pd.DataFrame(
        {"expression": 0, "valence": 0, "arousal": 0} | dict(zip(VOTES, shares, strict=True)), [0, 1, 2]
    )
    training, val = (cast(Records, SimpleNamespace(images=images, index=index[: len(images)])) for images in IMAGES)
    train.train_model(network, training, val, ("emotion", "valence", "arousal"), params, "float32")
    probabilities = network.full.predict_on_batch(IMAGES[1])["emotion"][0]
    curves = json.loads((paths.training_metrics(network.full.name).parent / "last_epoch.json").read_text())
    assert curves["val"]["emotion_loss"] == pytest.approx(-(shares * np.log(probabilities)).sum(), rel=1e-3)


FILES = (
    *("data/augmented/images.npy", "data/prepared/index.csv", "requirements.txt", "src/train.py"),
    *(f"src/affect/{module}.py" for module in ("core/labels", "models/multitask", "training/fit")),
)


def test_a_checkpoint_belongs_to_one_set_of_data_code_params_and_weights(
    network: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "__file__", str(tmp_path / "src" / "train.py"))
    monkeypatch.setattr(train, "SOURCE", tmp_path / "src")
    monkeypatch.setattr(paths, "REQUIREMENTS", tmp_path / "requirements.txt")
    for name in FILES:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("as it was")
    params = load_params(ROOT / "params.yaml")
    known = {train.training_fingerprint(network, params, "float32")}
    assert train.training_fingerprint(network, params, "float32") in known
    for changed in (
        params.model_copy(update={"train": settings(learning_rate=0.002)}),
        params.model_copy(update={"model": params.model.model_copy(update={"shared_units": 64})}),
    ):
        known.add(train.training_fingerprint(network, changed, "float32"))
    known.add(train.training_fingerprint(network, params, "mixed_bfloat16"))
    other = SplitModel(network.trainable, None, network.trainable)
    known.add(train.training_fingerprint(other, params, "float32"))
    for name in FILES:
        Path(name).write_text(f"another {name}")
        known.add(train.training_fingerprint(network, params, "float32"))
    assert len(known) == 1 + 4 + len(FILES)
