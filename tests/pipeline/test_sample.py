"""The stage that draws the embedded sample, run as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from affect.synthetic.faces import render_face

IMAGES, SIZE, SEED, EXPRESSIVENESS = 16, 64, 5, 1.3


def run(folder: Path, processes: int = 1, **sample: float) -> subprocess.CompletedProcess[str]:
    """Run src/sample.py in a folder whose params.yaml asks for a small sample."""
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["sample"].update({"images": IMAGES, "size": SIZE, "seed": SEED, "expressiveness": EXPRESSIVENESS} | sample)
    yaml.dump(params, folder / "params.yaml")
    return subprocess.run(
        [sys.executable, ROOT / "src" / "sample.py"],
        cwd=folder,
        env=os.environ | {"LOKY_MAX_CPU_COUNT": str(processes)},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    result = run(folder)
    assert result.returncode == 0, result.stderr
    return folder / "data" / "sample"


def test_every_face_has_its_image_and_annotations_and_a_row_of_attributes_and_nothing_else(sample: Path) -> None:
    expected = {"attributes.csv", *(f"images/{i}.jpg" for i in range(IMAGES))}
    expected |= {f"annotations/{i}_{k}.npy" for i in range(IMAGES) for k in ("exp", "val", "aro", "lnd")}
    assert set(contents(sample)) == expected
    beside = [path for path in sample.parent.rglob("*") if path.is_file() and sample not in path.parents]
    assert [path.name for path in beside] == ["sample.lock"]


def test_labels_are_the_strings_that_affectnet_ships(sample: Path) -> None:
    for i in range(IMAGES):
        labels = {k: np.load(sample / "annotations" / f"{i}_{k}.npy") for k in ("exp", "val", "aro")}
        for name, label in labels.items():
            assert label.shape == (), name
            assert label.dtype.kind == "U", name
        assert str(labels["exp"]) == str(i % 8)
        for name in ("val", "aro"):
            assert -1 <= float(labels[name]) <= 1
            assert len(str(labels[name]).partition(".")[2]) == 6


def test_files_hold_the_face_that_was_drawn(sample: Path) -> None:
    face = render_face(SEED, 3, 3, SIZE, EXPRESSIVENESS)
    landmarks = np.load(sample / "annotations" / "3_lnd.npy")
    assert landmarks.shape == (136,)
    np.testing.assert_array_equal(landmarks, face.landmarks.reshape(-1).round(2))
    image = cv2.imread(str(sample / "images" / "3.jpg"))
    assert image is not None
    assert image.shape == (SIZE, SIZE, 3)
    # RGB, not BGR, and of a quality that keeps the picture.
    assert np.abs(image[..., ::-1].astype(int) - face.image).mean() < 6
    assert float(np.load(sample / "annotations" / "3_val.npy")) == pytest.approx(face.valence, abs=1e-6)


def test_each_row_of_attributes_is_what_was_drawn(sample: Path) -> None:
    table = pd.read_csv(sample / "attributes.csv", keep_default_na=False)
    assert table["id"].tolist() == list(range(IMAGES))
    for face_id, row in table.set_index("id").iterrows():
        drawn = render_face(SEED, int(str(face_id)), int(str(face_id)) % 8, SIZE, EXPRESSIVENESS).attributes
        assert row.to_dict() == {**drawn, "age": round(float(drawn["age"]), 2), "yaw": round(float(drawn["yaw"]), 1)}


def test_number_of_processes_changes_no_byte(sample: Path, tmp_path: Path) -> None:
    assert run(tmp_path, processes=3).returncode == 0
    assert contents(tmp_path / "data" / "sample") == contents(sample)


def test_a_folder_that_is_there_is_left_to_dvc(tmp_path: Path) -> None:
    """It may hold a user's own pictures; `dvc repro` removes it before the stage."""
    kept = tmp_path / "data" / "sample" / "images"
    kept.mkdir(parents=True)
    (kept / "99.jpg").write_bytes(b"old")
    result = run(tmp_path, images=8)
    assert result.returncode == 1
    assert "data/sample holds 'images' and is left as it is" in result.stderr
    assert [file.name for file in kept.iterdir()] == ["99.jpg"]


def test_wrong_parameter_is_one_line_and_leaves_the_sample(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "sample" / "images"
    kept.mkdir(parents=True)
    result = run(tmp_path, images=-1)
    assert result.returncode == 1
    assert "sample.images" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert kept.exists()
