"""Bring weights from timm as docs/recipe.md says, and compare the features: `make test-timm`.

PyTorch and timm are installed beside the environment, for this run alone (5 GB). The weights are random.
"""

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import keras
import numpy as np
from conftest import ROOT

from affect.models import backend
from affect.models.backbones import build_backbone

PACKAGES = ("torch==2.14.1", "timm==1.0.31")
BACKBONE, SIZE = "efficientnetb2", 64
TOLERANCE = 1e-5

MAKE = f"""
import numpy, timm, torch
torch.manual_seed(1)
model = timm.create_model("tf_{BACKBONE.replace("b", "_b")}", pretrained=False).eval()
for name, value in model.state_dict().items():
    if name.endswith("running_mean"):
        value.normal_(0, 0.1)
    if name.endswith("running_var"):
        value.uniform_(0.5, 1.5)
torch.save(model.state_dict(), "state_vggface2_enet2.pt")
mean, std = (torch.tensor(model.pretrained_cfg[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
images = torch.tensor(numpy.load("images.npy")).permute(0, 3, 1, 2)
with torch.no_grad():
    features = model.forward_features((images / 255 - mean) / std)
numpy.save("features.npy", features.permute(0, 2, 3, 1).numpy())
"""


def main() -> int:
    """Compare the features of the brought weights with those of timm; the exit code is 1 if they differ."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        venv.create(folder / "venv", with_pip=True)
        beside = str(folder / "venv" / "bin" / "python")
        run(beside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES, folder=folder)
        images = np.random.default_rng(1).uniform(0, 255, (2, SIZE, SIZE, 3)).astype(np.float32)
        np.save(folder / "images.npy", images)
        run(beside, "-c", MAKE, folder=folder)
        in_torch, in_keras = documented_blocks()
        weights = folder / "data" / "weights" / BACKBONE / "faces.weights.h5"
        weights.parent.mkdir(parents=True)
        run(beside, "-c", in_torch, folder=folder)
        run(sys.executable, "-c", in_keras, folder=folder)
        backend.set_up(1)
        features = build_backbone(BACKBONE, keras.Input((SIZE, SIZE, 3)), str(weights)).predict(images, verbose=0)
        expected = np.load(folder / "features.npy")
    difference = float(np.abs(features - expected).max())
    print(f"{BACKBONE}: features differ by {difference:.1e}, and vary by {expected.std():.1e}")
    return int(difference > TOLERANCE or expected.std() < 100 * TOLERANCE)


def documented_blocks() -> list[str]:
    """Return the two pieces of Python of docs/recipe.md: what runs beside PyTorch, and what runs here."""
    return re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "recipe.md").read_text(), re.DOTALL)


def run(python: str, *arguments: str, folder: Path) -> None:
    """Run Python in a folder, until it ends well."""
    subprocess.run([python, *arguments], cwd=folder, check=True)


if __name__ == "__main__":
    sys.exit(main())
