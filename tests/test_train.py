"""The frozen layers' output is stored where it fits, and computed in every step where it doesn't, with a word of it."""

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

import train
from affect import runtime
from affect.network import Network, Units, build_network
from params import load_params

SIZE = 32
IMAGES = [np.zeros((count, SIZE, SIZE, 3), np.uint8) for count in (3, 2)]


@pytest.fixture(scope="module")
def network() -> Network:
    runtime.set_up(1)
    return build_network("efficientnetb1", SIZE, None, 50, Units(8, 8, 8))


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(train, "SCRATCH", tmp_path / "cache")
    return tmp_path / "cache"


def choose(network: Network, cache_limit: float) -> tuple[object, list[tuple[int, ...]]]:
    settings = load_params(ROOT / "params.yaml").train.model_copy(update={"cache_limit": cache_limit})
    trained, inputs = train.choose_inputs(network, IMAGES, settings)
    return trained, [part.shape for part in inputs]


def test_output_that_fits_is_stored(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    trained, shapes = choose(network, cache_limit=1)
    assert trained is network.trained
    assert network.frozen is not None
    assert shapes == [(count, *network.frozen.output.shape[1:]) for count in (3, 2)]
    assert not capsys.readouterr().err


def test_output_over_the_limit_is_computed_in_every_step(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    trained, shapes = choose(network, cache_limit=1e-6)
    assert trained is network.model
    assert shapes == [images.shape for images in IMAGES]
    assert "train.cache_limit is 1e-06" in capsys.readouterr().err


def test_output_over_the_free_space_is_computed_in_every_step(
    network: Network, scratch: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    trained, _ = choose(network, cache_limit=1)
    assert trained is network.model
    assert f"the disk of {scratch} has 0.0 free" in capsys.readouterr().err
