"""A full disk, a read-only one and a vanished input: one clear line, and the previous outputs are as they were."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Workspace, write_face

BACKBONE = "mobilenetv3large"
# Arguments: the folder that gets a disk of its own, its size, its access, where to copy it afterwards, the command.
ON_A_DISK = """
folder=$1 size=$2 access=$3 after=$4; shift 4
kept=$(mktemp -d) && cp -a "$folder/." "$kept" && mount -t tmpfs -o "size=$size" tmpfs "$folder" || exit 99
cp -a "$kept/." "$folder" && rm -r "$kept" && mount -o "remount,$access,size=$size" "$folder" || exit 99
"$@"
code=$?
cp -a "$folder/." "$after"
exit $code
"""
UNSHARE = ("unshare", "--map-root-user", "--mount")


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a disk of their own")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.create(tmp_path_factory.mktemp("disk"))
    small = {"backbones": [BACKBONE], "data.image_size": 32, "augment.copies": 1, "model.weights": None}
    workspace.set_params(**small | {"train.epochs": 1})
    for number in range(64):
        write_face(workspace.raw, number, number % 8)
    for script in ("prepare", "augment"):
        assert workspace.run_script(script).returncode == 0
    (workspace.folder / "models").mkdir()
    return workspace


def contents(folder: Path) -> dict[str, bytes]:
    found = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def run_on_a_disk(workspace: Workspace, folder: str, size: str, access: str, *command: str) -> str:
    """Run a script that must fail, and return its only line; the folder must be as it was."""
    script, *arguments = command
    for left in (workspace.folder / "data" / "cache").glob("*.checkpoint.npz"):
        left.unlink()
    before = contents(workspace.folder / folder)
    after = workspace.folder / "after"
    after.mkdir()
    run = [sys.executable, ROOT / "src" / f"{script}.py", *arguments]
    result = subprocess.run(
        [*UNSHARE, "sh", "-c", ON_A_DISK, "sh", folder, size, access, after, *run],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        assert result.returncode == 1, result.stderr
        assert {name: data for name, data in contents(after).items() if "checkpoint" not in name} == before
    finally:
        shutil.rmtree(after)
    # TensorFlow may have said before that there is no GPU.
    *others, line = result.stderr.splitlines()
    assert all("CUDA" in other for other in others), result.stderr
    assert line.endswith("; outputs that DVC has removed come back with `git restore metrics && dvc checkout`")
    return line


@pytest.mark.parametrize(
    ("changed", "folder", "size", "command"),
    [
        ({"data.image_size": 256}, "data", "6m", ("prepare",)),
        ({"augment.copies": 100}, "data", "6m", ("augment",)),
        ({}, "models", "1m", ("train", BACKBONE)),
        ({}, "data/cache", "1m", ("train", BACKBONE)),
    ],
)
def test_a_full_disk(prepared: Workspace, changed: dict, folder: str, size: str, command: tuple[str, ...]) -> None:
    before = prepared.params.read_bytes()
    prepared.set_params(**changed)
    try:
        line = run_on_a_disk(prepared, folder, size, "rw", *command)
    finally:
        prepared.params.write_bytes(before)
    assert line.startswith(f"{command[0]}: {folder}/")
    assert ": No space left on device" in line


@pytest.mark.parametrize(
    ("folder", "command"), [("data", ("prepare",)), ("metrics", ("prepare",)), ("models", ("train", BACKBONE))]
)
def test_a_read_only_folder(prepared: Workspace, folder: str, command: tuple[str, ...]) -> None:
    line = run_on_a_disk(prepared, folder, "6m", "ro", *command)
    assert line.startswith(f"{command[0]}: {folder}/")
    assert ": Read-only file system" in line


def test_a_vanished_input(prepared: Workspace) -> None:
    records = prepared.folder / "data" / "prepared"
    before = contents(prepared.folder / "data" / "augmented")
    records.rename(records.with_name("elsewhere"))
    try:
        result = prepared.run_script("augment")
    finally:
        records.with_name("elsewhere").rename(records)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("augment: data/prepared: not readable as records")
    assert contents(prepared.folder / "data" / "augmented") == before
