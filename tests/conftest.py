"""What the tests share: tiny datasets in AffectNet's layout, and a folder in which stages run as a user runs them."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from ruamel.yaml import YAML

from affect.core.labels import EXPRESSIONS
from affect.plumbing.stage import run_command, run_stage

# A busy machine makes no example wrong.
settings.register_profile("affect", deadline=None)
settings.load_profile("affect")

ROOT = Path(__file__).parent.parent
PARTS_OF_A_CLONE = (
    *(
        "src",
        "requirements.txt",
        "dvc.yaml",
        "data/dvc.yaml",
        "data/dvc.lock",
        "data/pretrain.yaml",
        "data/splits",
        "data/weights",
        "pipelines",
    ),
    *("metrics/pretrain", ".dvcignore", ".dvc/config", ".dvc/plots"),
    *(".gitignore", "data/.gitignore", "models/.gitignore", "metrics/plots/.gitignore"),
)
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.com")
TINY = {
    "backbones": ["efficientnetb1"],
    "data.raw": "data/sample",
    "data.image_size": 32,
    "sample.images": 80,
    "sample.size": 64,
    "augment.copies": 1,
    "model.weights": None,
    "train.epochs": 2,
}
COLUMNS = [
    *("id", "expression", "predicted_expression", *(f"p_{name}" for name in EXPRESSIONS)),
    *("valence", "predicted_valence", "arousal", "predicted_arousal"),
]


def draw_picture(seed: int | str, side: int = 64) -> np.ndarray:
    """A smooth (side, side, 3) RGB texture; other seeds give what the duplicate finder takes for other pictures."""
    generator = np.random.default_rng(zlib.crc32(str(seed).encode()))
    coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def write_labels(raw: Path, id: int | str, expression: object, valence: object = 0.0, arousal: object = 0.0) -> None:
    """Write labels as AffectNet ships them, each a 0-d string; a label that is None gets no file."""
    folder = raw / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in {"exp": expression, "val": valence, "aro": arousal}.items():
        if value is not None:
            np.save(folder / f"{id}_{name}.npy", np.array(str(value)))


def write_image(raw: Path, id: int | str, image: np.ndarray | None = None) -> None:
    """Write an RGB image, or the picture that belongs to the id, as a JPEG."""
    folder = raw / "images"
    folder.mkdir(parents=True, exist_ok=True)
    rgb = draw_picture(id) if image is None else image
    cv2.imwrite(str(folder / f"{id}.jpg"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def write_face(
    raw: Path,
    id: int | str,
    expression: object,
    valence: object = 0.0,
    arousal: object = 0.0,
    image: np.ndarray | None = None,
) -> None:
    """Write one annotated image."""
    write_image(raw, id, image)
    write_labels(raw, id, expression, valence, arousal)


def draw_predictions(images: int, seed: int, coarse: bool = False, skill: float = 2) -> pd.DataFrame:
    """Predictions, better than chance by `skill`, a fifth of them without valence or without arousal.

    `coarse` ones have ties and few expressions.
    """
    draws = np.random.default_rng(seed)
    truth = draws.integers(0, 2 if coarse else 8, images)
    scores = draws.normal(size=(images, 8)) + skill * np.eye(8)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    table = pd.DataFrame(probabilities.round(1 if coarse else 6), columns=[f"p_{name}" for name in EXPRESSIONS])
    table["id"] = [str(row) for row in range(images)]
    table["expression"] = truth
    table["predicted_expression"] = probabilities.round(1 if coarse else 6).argmax(axis=1)
    for task in ("valence", "arousal"):
        values = draws.uniform(-1, 1, images)
        table[task] = np.where(draws.random(images) < 0.2, np.nan, values.round(1 if coarse else 6))
        table[f"predicted_{task}"] = (values / 2 + draws.normal(0, 0.2, images)).clip(-1, 1).round(6)
    return table[COLUMNS]


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """All that lies under a folder, by its path: a file's content, where a link leads, or what else it is."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            content: bytes | str = f"link to {path.readlink()}"
        elif path.is_file():
            content = path.read_bytes()
        else:
            content = "folder" if path.is_dir() else f"special {stat.S_IFMT(path.lstat().st_mode)}"
        found[str(path.relative_to(folder))] = content
    return found


def copy_repository(folder: Path) -> None:
    """Copy what `dvc repro` needs of the repository into a folder, without params.yaml and results."""
    for part in PARTS_OF_A_CLONE:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)


def dvc_environment(folder: Path) -> dict[str, str]:
    """The environment of a DVC that knows nothing from elsewhere."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return environment | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{folder}-dvc-site"}


def run(folder: Path, *command: str, **environment_changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    environment = dvc_environment(folder) | environment_changes
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result


def restore_ctrl_c() -> None:
    """Let a process take Ctrl-C: started in the background, as by a CI server, the tests ignore it and pass that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def commit_all(folder: Path) -> None:
    """Make a folder a git repository whose first commit holds everything in it."""
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "--all")
    run(folder, "git", *AUTHOR, "commit", "-q", "-m", "start")


@dataclass(frozen=True)
class Workspace:
    """A folder with the repository's params.yaml, pointed at the dataset in `raw`, all of which is used."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Workspace":
        shutil.copy(ROOT / "params.yaml", folder)
        workspace = cls(folder)
        workspace.set_params(**{"data.raw": "data/faces", "data.sample_size": None, "data.image_size": 64})
        return workspace

    @property
    def raw(self) -> Path:
        return self.folder / "data" / "faces"

    @property
    def params(self) -> Path:
        return self.folder / "params.yaml"

    def set_params(self, **values: object) -> None:
        """Set parameters by their dotted names: set_params(**{"train.epochs": 1})."""
        # Keeping the comments would end in broken YAML where a list with a comment becomes empty.
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        params = yaml.load(self.params)
        for name, value in values.items():
            *sections, last = name.split(".")
            section = params
            for part in sections:
                section = section[part]
            section[last] = value
        yaml.dump(params, self.params)

    def add_pretrain_params(self) -> Path:
        """Copy the parameters of `pretrain`, which nothing else reads."""
        (self.folder / "data").mkdir(exist_ok=True)
        return Path(shutil.copy(ROOT / "data" / "pretrain.yaml", self.folder / "data"))

    def add_external_datasets(self, **datasets: dict[str, object]) -> None:
        """Name datasets, each by what differs from the defaults, in pipelines/external/params.yaml."""
        yaml = YAML(typ="safe", pure=True)
        params = yaml.load(ROOT / "pipelines" / "external" / "params.yaml") | {"datasets": datasets}
        file = self.folder / "pipelines" / "external" / "params.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        yaml.dump(params, file)

    def run_script(self, name: str, *arguments: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
        """Run src/{name}.py in the folder, with so many worker processes."""
        return subprocess.run(
            [sys.executable, ROOT / "src" / f"{name}.py", *arguments],
            cwd=self.folder,
            env=os.environ | {"LOKY_MAX_CPU_COUNT": str(processes)},
            capture_output=True,
            text=True,
            check=False,
        )

    def read_metrics(self, name: str) -> dict:
        return json.loads((self.folder / "metrics" / f"{name}.json").read_text())

    def read_split(self) -> dict[str, str]:
        """The split of each id that is used."""
        split = pd.read_csv(self.folder / "metrics" / "split.csv", dtype=str)
        return dict(zip(split["id"], split["split"], strict=True))

    def read_dropped(self) -> pd.DataFrame:
        """The columns reason and detail by id."""
        return pd.read_csv(self.folder / "metrics" / "dropped.csv", dtype=str, index_col="id")


def refuse(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, main: Callable[[], None]) -> str:
    """Run a stage in this process, where it costs no start of Python, and return the line it stops with."""
    monkeypatch.chdir(workspace.folder)
    with pytest.raises(SystemExit) as stopped:
        run_stage(main)
    # Python writes a text that it exits with to standard error, and exits with 1.
    assert isinstance(stopped.value.code, str)
    assert "\n" not in stopped.value.code
    return stopped.value.code


def run_in_process(script: ModuleType, *arguments: str) -> str | None:
    """Run a command in this process, in the current folder; return the line that it stops with, if so."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sys.argv", [f"{script.__name__}.py", *arguments])
        try:
            run_command(script.main)
        except SystemExit as stopped:
            line = str(stopped.code)
        else:
            return None
    assert line.startswith(f"{script.__name__}: ")
    assert "\n" not in line
    return line


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path)


class KilledError(BaseException):
    """What ends a run at once, as a signal does."""


@pytest.fixture
def folder(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a module's folder `template`, to work in."""
    shutil.copytree(template, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"
