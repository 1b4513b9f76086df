"""Training with `train.backend` of jax: `make test-jax`.

A job of its own, since JAX is a package that nobody else needs; pytest does not collect it by itself.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Workspace, write_face

BACKBONE = "mobilenetv3large"
MODERN = {
    **{"train.backend": "jax", "train.epochs": 2, "train.weight_decay": 0.05, "train.schedule": "cosine"},
    **{"train.warm_up": 0.1, "train.weight_averaging": 0.9, "train.label_smoothing": 0.1, "train.mixup": 0.2},
    **{"augment.online": True, "augment.copies": 0, "model.fine_tune_layers": "all", "model.dropout": 0.4},
}
QUICK = {"backbones": [BACKBONE], "data.image_size": 32, "model.weights": None}


@pytest.fixture
def prepared(workspace: Workspace) -> Workspace:
    workspace.set_params(**QUICK | MODERN)
    for number in range(64):
        write_face(workspace.raw, number, number % 8)
    for script in ("prepare", "augment"):
        assert workspace.run_script(script).returncode == 0
    return workspace


def train(workspace: Workspace) -> bytes:
    result = workspace.run_script("train", BACKBONE)
    assert result.returncode == 0, result.stderr
    return (workspace.folder / "models" / f"{BACKBONE}.keras").read_bytes()


PREDICT = """
import sys
import numpy as np
from pathlib import Path
from affect.core.records import read_records
from affect.models.predictors import KerasPredictor

outputs = KerasPredictor(Path(sys.argv[1])).run(read_records(Path("data/prepared")).images[:])
np.save("predicted.npy", np.concatenate([outputs[task] for task in sorted(outputs)], axis=1))
"""


def predict(workspace: Workspace, backend: str) -> np.ndarray:
    """Predict all prepared images by the trained model on a backend."""
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", PREDICT, f"models/{BACKBONE}.keras"]
    subprocess.run(command, cwd=workspace.folder, env=environment, check=True)
    return np.load(workspace.folder / "predicted.npy")


def test_a_model_of_jax_is_the_same_again_and_after_a_kill_and_is_evaluated(prepared: Workspace) -> None:
    expected = train(prepared)
    assert train(prepared) == expected
    process = subprocess.Popen(
        [sys.executable, "-u", ROOT / "src" / "train.py", BACKBONE],
        cwd=prepared.folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert any(line.startswith("epoch 1/") for line in process.stdout)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert train(prepared) == expected
    result = prepared.run_script("evaluate")
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(prepared.folder / "metrics" / "predictions" / f"{BACKBONE}.csv")
    assert np.isfinite(table.filter(like="p_")).all(axis=None)
    assert "<td>jax, devices: 1, processes: 1</td>" in (prepared.folder / "metrics" / "report.html").read_text()
    on_tensorflow, on_jax = (predict(prepared, backend) for backend in ("tensorflow", "jax"))
    assert np.abs(on_tensorflow - on_jax).max() < 1e-5
    prepared.set_params(**{"train.backend": "tensorflow"})
    assert train(prepared) != expected


def test_another_backend_in_the_environment_is_refused(prepared: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    result = prepared.run_script("train", BACKBONE)
    assert result.returncode == 1
    assert "train.backend is jax, but KERAS_BACKEND in the environment is tensorflow; unset it" in result.stderr


def test_frozen_layers_are_trained_from_their_stored_output(prepared: Workspace) -> None:
    prepared.set_params(**{"augment.online": False, "model.fine_tune_layers": 10, "train.schedule": "plateau"})
    prepared.set_params(**{"train.warm_up": 0.0})
    assert prepared.run_script("augment").returncode == 0
    assert train(prepared) == train(prepared)
    assert not list(Path(prepared.folder, "data", "cache").glob("*.npy"))


SET_UP = """
import tensorflow as tf

asked = []
tf.config.set_visible_devices = lambda *devices: asked.append(devices)
from affect.models import backend

backend.set_up()
assert asked == [([], "GPU")], asked
"""


def test_tensorflow_leaves_the_memory_of_gpus_to_jax() -> None:
    """No GPU is needed: it is asked for none."""
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", SET_UP], env=environment, check=True)
