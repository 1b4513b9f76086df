"""One training on two devices, and by two processes, against one device: `make test-jax`.

A job of its own, as training_on_jax.py is. What a rank does when another dies is printed as a table of seconds.
"""

import json
import signal
import time

import numpy as np
import pytest
from conftest import ROOT, Workspace, write_face
from ranks import Ranks, Trained, read_checkpoint, train
from training_on_jax import MODERN

from affect.synthetic.faces import render_face
from affect.training.distribution import SILENCE

QUICK = "mobilenetv3large"
# A tensor may differ by so much of its size, or by a hundredth of what one step of Adam moves: root mean squares.
OF_SIZE, LEAST = 1e-4, 1e-5
# So many that a signal comes before the last.
EPOCHS = 10
# Seconds in which the others have noticed that a rank is gone.
PROMPT = 15


@pytest.fixture
def faces(workspace: Workspace) -> Workspace:
    """Drawn faces, with the weights of the repository to start from."""
    add_faces(workspace, 120)
    return workspace


def add_faces(workspace: Workspace, count: int) -> None:
    for id in range(count):
        face = render_face(5, id, id % 8, 128, 1.2)
        write_face(workspace.raw, id, id % 8, round(face.valence, 3), round(face.arousal, 3), face.image)


def prepare(workspace: Workspace, backbone: str, **params: object) -> None:
    chosen = {"backbones": [backbone], "data.image_size": 96, "augment.copies": 0, "train.backend": "jax"}
    workspace.set_params(**chosen | {"train.epochs": 3, "train.early_stopping_patience": 1} | params)
    (workspace.folder / "data" / "weights").symlink_to(ROOT / "data" / "weights")
    for script in ("prepare", "augment"):
        assert workspace.run_script(script).returncode == 0


def require_bit_equal(first: Trained, second: Trained) -> None:
    assert first.checkpoint.keys() == second.checkpoint.keys()
    for name, values in first.checkpoint.items():
        if name != "state":
            np.testing.assert_array_equal(values, second.checkpoint[name], name)


def size_of(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values.astype(float) ** 2)))


def require_alike(one: Trained, several: Trained) -> None:
    for name, values in one.checkpoint.items():
        if name.startswith(("weights", "best")):
            assert size_of(several.checkpoint[name] - values) <= OF_SIZE * size_of(values) + LEAST, name
    # How long early stopping and plateau have waited, and which epoch was the best.
    states, others = (json.loads(str(trained.checkpoint["state"]))["callbacks"] for trained in (one, several))
    for state, other in zip(states, others, strict=True):
        assert other == pytest.approx(state, rel=1e-3)


@pytest.mark.parametrize(
    ("backbone", "params"),
    [("efficientnetb1", {}), ("resnet50", {}), (QUICK, MODERN)],
    ids=["efficientnetb1", "resnet50", "modern recipe"],
)
def test_two_devices_and_two_processes_train_as_one(faces: Workspace, backbone: str, params: dict) -> None:
    prepare(faces, backbone, **params)
    one = train(faces, backbone)
    metrics = faces.folder / "metrics" / "train" / backbone / "metrics.json"
    expected = json.loads(metrics.read_text())
    assert (expected["backend"], expected["devices"], expected["ranks"]) == ("jax", 1, 1)
    two_devices, two_processes = train(faces, backbone, devices=2), train(faces, backbone, ranks=2)
    assert json.loads(metrics.read_text()) == expected | {"devices": 2, "ranks": 2}
    require_bit_equal(two_devices, two_processes)
    require_alike(one, two_devices)
    # Of the library by which processes add up; nothing of ours is said twice.
    assert [line for line in two_processes.printed[1].splitlines() if not line.startswith("[Gloo]")] == []
    assert {file.suffix for file in (faces.folder / "data" / "cache").iterdir()} == {".lock", ".npz", ".until-recorded"}


def test_99_images_are_cut_to_what_devices_can_share(workspace: Workspace) -> None:
    add_faces(workspace, 123)
    prepare(workspace, QUICK, **{"data.val_fraction": 0.2, "train.epochs": 2})
    index = (workspace.folder / "data" / "augmented" / "index.csv").read_text()
    assert index.count("\n") - 1 == 99
    two_devices, two_processes = train(workspace, QUICK, devices=2), train(workspace, QUICK, ranks=2)
    for trained in (two_devices, two_processes):
        assert "train: 1 training and 0 validation images of each epoch are in no batch" in trained.printed[0]
    require_bit_equal(two_devices, two_processes)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, bytes]:
    """A workspace, and the model that two processes train in it without an interruption."""
    workspace = Workspace.create(tmp_path_factory.mktemp("ranks"))
    add_faces(workspace, 120)
    prepare(workspace, QUICK, **{"train.epochs": EPOCHS, "train.early_stopping_patience": EPOCHS})
    train(workspace, QUICK, ranks=2)
    return workspace, (workspace.folder / "models" / f"{QUICK}.keras").read_bytes()


@pytest.mark.parametrize("how", ["first killed", "second killed", "second terminated", "second frozen"])
def test_a_rank_that_is_gone_ends_the_others_and_the_next_run_goes_on(
    whole: tuple[Workspace, bytes], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, expected = whole
    file = workspace.folder / "data" / "cache" / f"{QUICK}.checkpoint.npz"
    file.unlink()
    started = Ranks.start(workspace, QUICK, ranks=2)
    started.wait_for("epoch 2/")
    which, number = (0 if how.startswith("first") else 1), signal.SIGKILL
    if how.endswith("terminated"):
        number = signal.SIGTERM
    elif how.endswith("frozen"):
        number = signal.SIGSTOP
    began = time.monotonic()
    started.send(which, number)
    other = started.processes[1 - which]
    other.wait(4 * SILENCE)
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{how}: the other has ended after {seconds:.1f} s, exit code {other.returncode}")
    assert other.returncode != 0
    assert seconds < (2 * SILENCE if how.endswith("frozen") else PROMPT)
    started.processes[which].kill()
    started.end()
    done = len(json.loads(str(read_checkpoint(file)["state"]))["epochs"])
    assert 2 <= done < EPOCHS
    resumed = Ranks.start(workspace, QUICK, ranks=2).end()
    assert f"train: goes on after epoch {done}" in resumed[0]
    assert (workspace.folder / "models" / f"{QUICK}.keras").read_bytes() == expected
