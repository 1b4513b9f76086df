"""Load and run saved models in older versions of Keras: `make test-keras`, or `python tests/keras_versions.py`.

The README promises the oldest of them. Each is installed beside the environment's, for this run alone.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from affect.models import backend
from affect.models.backbones import BACKBONES
from affect.models.multitask import Heads, build_model
from affect.models.saved_model import save_model

VERSIONS = ("3.8.0", "3.10.0", "3.12.4", "3.14.1")
SIZE = 32
TOLERANCE = 1e-6

PREDICT = """
import sys
from pathlib import Path
import keras, numpy
assert keras.__version__ == sys.argv[1], f"this is Keras {keras.__version__}"
for file in sorted(Path().glob("*.keras")):
    model = keras.models.load_model(file, compile=False)
    numpy.savez(f"{file.stem}.npz", **model.predict(numpy.load("images.npy"), verbose=0))
"""


def main() -> int:
    """Compare each network's predictions in each version with this one's; the exit code is the number that differ."""
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        expected = write_models(folder)
        for version in tqdm(VERSIONS, desc="keras", disable=None):
            install(version, folder / version)
            run_python("-c", PREDICT, version, folder=folder, path=folder / version)
            for backbone, outputs in expected.items():
                with np.load(folder / f"{backbone}.npz") as predicted:
                    difference = max(float(np.abs(predicted[task] - outputs[task]).max()) for task in outputs)
                failed += difference > TOLERANCE
                print(f"Keras {version}: {backbone} differs by {difference:.1e}", flush=True)
    return failed


def write_models(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Save a network on every backbone, and images; return this Keras's predictions."""
    backend.set_up(1)
    images = np.random.default_rng(1).integers(0, 256, (6, 4, 4, 3), np.uint8).repeat(SIZE // 4, 1).repeat(SIZE // 4, 2)
    np.save(folder / "images.npy", images)
    expected = {}
    for backbone in BACKBONES:
        model = build_model(backbone, SIZE, None, 10, Heads(8, 8, 8)).full
        calibrate(model, images)
        save_model(model, folder / f"{backbone}.keras")
        loaded = keras.models.load_model(folder / f"{backbone}.keras", compile=False)
        expected[backbone] = loaded.predict(images, verbose=0)
        for task, outputs in expected[backbone].items():
            spread = float(np.ptp(outputs, axis=0).max())
            assert spread > 100 * TOLERANCE, f"{backbone}'s {task} hardly depends on its input ({spread:.1e})"
    return expected


def calibrate(model: keras.Model, images: np.ndarray) -> None:
    """Let batch norm take over the images' statistics: untrained, the network would hardly see its input."""
    for layer in model.layers:
        layer.trainable = True
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    model(images.astype(np.float32), training=True)


def install(version: str, folder: Path) -> None:
    """Install a version of Keras without what it depends on."""
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    run_python(*pip, "--target", str(folder), f"keras=={version}", folder=folder.parent)


def run_python(*arguments: str, folder: Path, path: Path | None = None) -> None:
    """Run Python, which finds packages in `path` first."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
