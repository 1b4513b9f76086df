"""prepare and augment, run as scripts: what they write, and that nothing of the held-out images leaks."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import Workspace, draw_picture, write_face
from PIL import Image

from affect.core.records import Records, read_records
from affect.data.layouts import affectnet
from affect.data.splitting.duplicates import hash_image

CLASSES = 8
PER_CLASS = 10


def reencode(image: np.ndarray) -> np.ndarray:
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def write_dataset(workspace: Workspace) -> None:
    """80 pictures, each third of them also as a re-encoded copy, a resized copy and an exact one."""
    for number in range(CLASSES * PER_CLASS):
        picture = draw_picture(number, 96)
        label = {"expression": number % CLASSES, "valence": number / 100, "arousal": -number / 100}
        write_face(workspace.raw, number, image=picture, **label)
        if number % 3 == 0:
            write_face(workspace.raw, f"{number}_reencoded", image=reencode(picture), **label)
            write_face(workspace.raw, f"{number}_resized", image=cv2.resize(picture, (70, 70)), **label)
            write_face(workspace.raw, f"{number}_same", image=picture, **label)


def run(workspace: Workspace, *scripts: str, processes: int = 1) -> None:
    for script in scripts:
        result = workspace.run_script(script, processes=processes)
        assert result.returncode == 0, result.stderr


def read(workspace: Workspace, name: str) -> Records:
    return read_records(workspace.folder / "data" / name)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.create(tmp_path_factory.mktemp("prepared"))
    workspace.set_params(**{"data.test_fraction": 0.1})
    write_dataset(workspace)
    run(workspace, "prepare", "augment", processes=2)
    return workspace


def original_of(ids: pd.Series) -> pd.Series:
    return ids.str.split("_").str[0]


def test_copies_of_a_picture_are_on_one_side(prepared: Workspace) -> None:
    index = read(prepared, "prepared").index
    assert set(index["split"]) == {"train", "val", "test"}
    assert index.groupby(original_of(index["id"]))["split"].nunique().max() == 1
    duplicates = prepared.read_metrics("prepare")["duplicates"]
    assert duplicates == {
        "groups": 27,
        "images": 4 * 27,
        "largest_group": 4,
        "groups_of_several_expressions": 0,
        "groups_across_splits": 0,
    }


def test_no_copy_or_duplicate_of_a_held_out_image_is_in_training_data(prepared: Workspace) -> None:
    """By id, by group, and by what the pixels show."""
    everything = read(prepared, "prepared")
    train_ids = set(read(prepared, "augmented").index["id"])
    held_out = everything.index[everything.index["split"] != "train"]
    assert not train_ids & set(held_out["id"])
    groups = everything.index.set_index("id")["group"]
    assert not set(groups[list(train_ids)]) & set(held_out["group"])
    originals = read(prepared, "augmented").images[:: prepared_copies(prepared)]
    train_hashes = np.stack([hash_image(image)["whole"] for image in originals])
    for row in held_out.index:
        distances = np.bitwise_count(train_hashes ^ hash_image(everything.images[row])["whole"]).sum(axis=1)
        assert distances.min() > 48


def prepared_copies(workspace: Workspace) -> int:
    return int(read(workspace, "augmented").index["copy"].max()) + 1


def test_training_data_is_each_original_with_its_copies_and_labels(prepared: Workspace) -> None:
    train = read(prepared, "prepared").select("train")
    augmented = read(prepared, "augmented")
    assert prepared_copies(prepared) == 5
    assert len(augmented.images) == 5 * len(train.images)
    np.testing.assert_array_equal(augmented.images[::5], train.images[:])
    assert augmented.index["id"].tolist() == train.index["id"].repeat(5).tolist()
    for label in ("expression", "valence", "arousal"):
        assert augmented.index[label].tolist() == train.index[label].repeat(5).tolist()
    for copy in range(1, 5):
        assert (augmented.images[copy::5] != train.images[:]).any(axis=(1, 2, 3)).all()


def test_no_copies_leave_the_originals(prepared: Workspace, workspace: Workspace) -> None:
    workspace.set_params(**{"augment.copies": 0})
    write_dataset(workspace)
    run(workspace, "prepare", "augment")
    np.testing.assert_array_equal(
        read(workspace, "augmented").images[:], read(workspace, "prepared").select("train").images[:]
    )


def test_counts_add_up(prepared: Workspace) -> None:
    metrics = prepared.read_metrics("prepare")
    assert metrics["found"] == metrics["used"] == CLASSES * PER_CLASS + 3 * 27
    assert sum(part["images"] for part in metrics["splits"].values()) == metrics["used"]
    index = read(prepared, "prepared").index
    assert metrics["valence"] == {
        "annotated_share": 1.0,
        "mean": pytest.approx(index["valence"].mean(), abs=1e-6),
        "std": pytest.approx(index["valence"].std(ddof=0), abs=1e-6),
    }


@pytest.mark.parametrize("processes", [1, 3])
def test_the_number_of_processes_changes_no_byte(prepared: Workspace, workspace: Workspace, processes: int) -> None:
    workspace.set_params(**{"data.test_fraction": 0.1})
    write_dataset(workspace)
    run(workspace, "prepare", "augment", processes=processes)
    for name in (
        "data/prepared/images.npy",
        "data/prepared/index.csv",
        "data/augmented/images.npy",
        "metrics/split.csv",
    ):
        assert (workspace.folder / name).read_bytes() == (prepared.folder / name).read_bytes()


def test_the_order_of_the_file_system_changes_nothing(prepared: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = affectnet.AffectNet(prepared.raw).list_items()
    for reverse in (False, True):
        monkeypatch.setattr(
            affectnet,
            "_list_names",
            lambda folder, r=reverse: sorted((file.name for file in folder.iterdir()), reverse=r),
        )
        assert affectnet.AffectNet(prepared.raw).list_items() == entries


def test_the_split_of_one_run_is_the_split_file_of_another(prepared: Workspace, workspace: Workspace) -> None:
    write_dataset(workspace)
    splits = workspace.folder / "data" / "splits"
    splits.mkdir(parents=True)
    listed = pd.read_csv(prepared.folder / "metrics" / "split.csv", dtype=str)
    listed[5:].to_csv(splits / "theirs.csv", index=False)
    workspace.set_params(**{"data.split_file": "data/splits/theirs.csv", "data.seed": 999})
    run(workspace, "prepare")
    used = read(workspace, "prepared").index
    assert used.set_index("id")["split"].to_dict() == listed[5:].set_index("id")["split"].to_dict()
    assert workspace.read_metrics("prepare")["dropped"] == {"total": 5, "not_in_split_file": 5}


def test_a_split_file_that_divides_a_picture_is_reported(workspace: Workspace) -> None:
    for id, picture in (("a", 1), ("b", 1), ("c", 2)):
        write_face(workspace.raw, id, 0, image=draw_picture(picture))
    splits = workspace.folder / "data" / "splits"
    splits.mkdir(parents=True)
    (splits / "official.csv").write_text("id,split\na,train\nb,val\nc,train\n")
    workspace.set_params(**{"data.split_file": "data/splits/official.csv"})
    result = workspace.run_script("prepare")
    assert "on several sides: 1" in result.stderr
    assert workspace.read_metrics("prepare")["duplicates"]["groups_across_splits"] == 1


def test_a_picture_with_several_expressions_is_told_and_counted(workspace: Workspace) -> None:
    write_dataset(workspace)
    for id, expression in (("twin", 0), ("5_twin", 6)):
        write_face(workspace.raw, id, expression, image=draw_picture(5, 96))
    result = workspace.run_script("prepare")
    assert re.search(r"pictures whose copies have different expressions: 1, such as \w+ and \w+\n", result.stderr)
    assert workspace.read_metrics("prepare")["duplicates"]["groups_of_several_expressions"] == 1


def test_a_large_group_is_told(workspace: Workspace) -> None:
    write_dataset(workspace)
    for id in range(20):
        write_face(workspace.raw, f"frame{id}", 5, image=draw_picture(5, 96))
    result = workspace.run_script("prepare")
    assert "21 images are taken for duplicates of each other, such as " in result.stderr
    assert "lower data.duplicate_distance" in result.stderr
    assert workspace.read_metrics("prepare")["duplicates"]["largest_group"] == 21


def test_a_picture_and_its_mirror_image_are_on_one_side(workspace: Workspace) -> None:
    for id in range(60):
        write_face(workspace.raw, id, id % 8, image=draw_picture(id, 96))
        write_face(workspace.raw, f"{id}_mirrored", id % 8, image=np.ascontiguousarray(draw_picture(id, 96)[:, ::-1]))
    assert workspace.run_script("prepare").returncode == 0
    split = workspace.read_split()
    assert all(split[str(id)] == split[f"{id}_mirrored"] for id in range(60))
    assert set(split.values()) == {"train", "val"}


def test_a_sample_is_counted(workspace: Workspace) -> None:
    write_dataset(workspace)
    workspace.set_params(**{"data.sample_size": 40})
    run(workspace, "prepare")
    metrics = workspace.read_metrics("prepare")
    assert (metrics["used"], metrics["not_sampled"]) == (40, 121)


def test_an_image_is_padded_to_a_square_before_it_is_resized(workspace: Workspace) -> None:
    wide = np.full((40, 80, 3), 200, np.uint8)
    for id, image in (("wide", wide), ("other", draw_picture(1))):
        write_face(workspace.raw, id, 0, image=image)
    workspace.set_params(**{"data.val_fraction": 0.5})
    run(workspace, "prepare")
    records = read(workspace, "prepared")
    image = records.images[records.index["id"].tolist().index("wide")]
    assert image.shape == (64, 64, 3)
    assert (image[:15] == 0).all()
    assert (image[49:] == 0).all()
    assert (np.abs(image[17:47].astype(int) - 200) <= 2).all()


def test_a_contact_sheet_is_drawn(prepared: Workspace) -> None:
    sheet = cv2.imread(str(prepared.folder / "metrics" / "plots" / "augmented.png"))
    assert sheet is not None
    assert sheet.shape[0] > CLASSES * 64
    assert sheet.shape[1] > 5 * 64


def test_the_contact_sheet_shows_what_is_altered_anew(prepared: Workspace, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    shutil.copytree(prepared.folder / "data" / "prepared", tmp_path / "data" / "prepared")
    widths = []
    for online in (False, True):
        workspace.set_params(**{"augment.copies": 0, "augment.online": online, "augment.grey": 1.0})
        run(workspace, "augment")
        widths.append(Image.open(tmp_path / "metrics" / "plots" / "augmented.png").width)
    assert widths[1] >= widths[0] + 4 * 64


def test_nothing_unfinished_is_left(prepared: Workspace) -> None:
    assert not list(Path(prepared.folder).rglob("affect.tmp.*"))
