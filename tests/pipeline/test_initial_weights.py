"""Under real DVC, a network depends on its own initial weights alone, and needs none of them where it has none."""

from pathlib import Path

import pytest
from conftest import Workspace, commit_all, copy_repository, run

from affect.plumbing.params import BACKBONES

# In the place of src/train.py: its outputs, without a training.
STUB = """
import sys
from pathlib import Path
name = sys.argv[1]
Path("models", f"{name}.keras").write_text(name)
folder = Path("metrics", "train", name)
(folder / "plots").mkdir(parents=True)
(folder / "plots" / "loss.tsv").write_text("step\\tloss\\n0\\t1\\n")
(folder / "curves.csv").write_text("measure,images,epoch,value\\n")
for file in ("last_epoch.json", "metrics.json"):
    (folder / file).write_text("{}")
"""
STAGES = [f"train@{name}" for name in BACKBONES]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A repository that has trained every network."""
    folder = tmp_path_factory.mktemp("weights")
    copy_repository(folder)
    workspace = Workspace.create(folder)
    workspace.set_params(backbones=list(BACKBONES))
    (folder / "src" / "train.py").write_text(STUB)
    for name in ("prepared", "augmented"):
        (folder / "data" / name).mkdir()
        (folder / "data" / name / "images.npy").write_text("none")
    commit_all(folder)
    run(folder, "dvc", "repro", "--single-item", *STAGES)
    return workspace


def changed_stages(folder: Path) -> list[str]:
    """The networks that DVC would train again."""
    printed = run(folder, "dvc", "repro", "--dry", "--single-item", *STAGES).stdout
    return [stage for stage in STAGES if f"Running stage '{stage}'" in printed]


def test_only_the_network_whose_weights_change_is_trained_again(trained: Workspace) -> None:
    assert changed_stages(trained.folder) == []
    weights = trained.folder / "data" / "weights"
    (weights / "README.md").write_text("another word")
    (weights / "vit" / "backbone.weights.h5").write_text("weights of one's own")
    assert changed_stages(trained.folder) == ["train@vit"]
    (weights / "vit" / "backbone.weights.h5").unlink()
    card = weights / "resnet50" / "card.json"
    card.write_text(card.read_text().replace("faces", "pictures"))
    assert changed_stages(trained.folder) == ["train@resnet50"]


@pytest.mark.parametrize("weights", [None, "imagenet"])
def test_any_network_starts_without_embedded_weights(trained: Workspace, weights: str | None) -> None:
    trained.set_params(**{"model.weights": weights})
    assert changed_stages(trained.folder) == STAGES
