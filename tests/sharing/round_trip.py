"""What docs/sharing.md promises, by its own commands, against a real S3 server on loopback: `make test-share`.

A job of its own, since an S3 server brings packages that nobody else needs; pytest does not collect it by itself.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import (
    AUTHOR,
    ROOT,
    TINY,
    Workspace,
    commit_all,
    copy_repository,
    dvc_environment,
    restore_ctrl_c,
    run,
    snapshot,
)
from packaging.requirements import Requirement
from ruamel.yaml import YAML
from sharing.page import COMMANDS, PAGE, follow
from sharing.storage import Storage

MODEL = "models/efficientnetb1.keras"
DEFAULTS = "train:\n  learning_rate: 0.001\n"
BACK = "git restore --staged --worktree params.yaml dvc.lock metrics && dvc checkout"
# In place of the experiment, where only files and their ways count.
STUB = """
import random
from pathlib import Path

rng = random.Random(Path("params.yaml").read_text())
for folder in ("data/prepared", "models", "metrics"):
    Path(folder).mkdir(parents=True, exist_ok=True)
for number in range(20):
    Path(f"data/prepared/{number}.npy").write_bytes(rng.randbytes(20_000))
Path("models/efficientnetb1.keras").write_bytes(rng.randbytes(200_000))
Path("metrics/evaluate.json").write_text(f'{{"accuracy": {rng.random()}}}')
"""
STUB_PIPELINE = """
stages:
  train:
    cmd: python stub.py
    deps: [stub.py]
    params: [train]
    outs:
      - data/prepared
      - models/efficientnetb1.keras
    metrics:
      - metrics/evaluate.json:
          cache: false
"""
followed: set[str] = set()


@dataclass(frozen=True)
class Group:
    """Two who share: the clone of the first is `mine`, that of the second, once it is there, `theirs`."""

    folder: Path
    storage: Storage
    bucket: str

    @property
    def mine(self) -> Path:
        return self.folder / "mine"

    @property
    def theirs(self) -> Path:
        return self.folder / "affect"

    def publish(self) -> None:
        """Commit what is in `mine`, and make it a clone of a repository that both reach, with a bucket beside it."""
        self.storage.create_bucket(self.bucket)
        commit_all(self.mine)
        run(self.folder, "git", "clone", "-q", "--bare", "mine", "hub.git")
        run(self.mine, "git", "remote", "add", "origin", "../hub.git")
        run(self.mine, "git", "push", "-q", "--set-upstream", "origin", "HEAD")

    def copy(self, folder: Path) -> "Group":
        """The same group elsewhere, with nothing in its bucket."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        self.storage.empty_bucket(self.bucket)
        return replace(self, folder=folder)

    def follow(self, heading: str, folder: Path, **words: str) -> subprocess.CompletedProcess[str]:
        """Follow a section of the page, which must succeed."""
        places = {"BUCKET": self.bucket, "https://S3.EXAMPLE.ORG": self.storage.url, "GIT_URL": "hub.git"}
        keys = {"KEY": self.storage.key, "SECRET": self.storage.secret}
        result = follow(heading, folder, places | keys | words)
        assert result.returncode == 0, f"{heading}\n{result.stdout}\n{result.stderr}"
        followed.add(heading)
        return result

    def set_up(self) -> None:
        self.follow("Set up the remote", self.mine)
        self.follow("Enter the keys", self.mine)

    def clone(self) -> None:
        """Make the second clone, without data."""
        run(self.mine, "git", "push", "-q")
        run(self.folder, "git", "clone", "-q", "hub.git", "affect")

    def missing(self, folder: Path) -> set[str]:
        """The hashes of files in a folder that the remote lacks."""
        md5 = run(folder, "bash", "-c", "find . -type f -print0 | xargs -0 md5sum").stdout
        return {line.split()[0] for line in md5.splitlines()} - self.storage.list_hashes(self.bucket)


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither keys nor settings of whoever runs this."""
    empty = tmp_path_factory.mktemp("empty")
    (empty / "none").touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "GIT_CONFIG_GLOBAL"):
            patch.setenv(name, str(empty / "none"))
        for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            patch.setenv(name, str(empty))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "test")
            patch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
        yield


@pytest.fixture(scope="session")
def storage(_isolated: None) -> Iterator[Storage]:
    server = Storage()
    yield server
    server.close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, storage: Storage) -> Group:
    """A pipeline of one quick stage, which has run; no remote yet."""
    group = Group(tmp_path_factory.mktemp("prepared"), storage, "faces")
    group.mine.mkdir()
    for name, text in {"stub.py": STUB, "dvc.yaml": STUB_PIPELINE, "params.yaml": DEFAULTS}.items():
        (group.mine / name).write_text(text)
    run(group.mine, "git", "init", "-q")
    run(group.mine, "dvc", "init", "-q")
    run(group.mine, "dvc", "repro", "-q")
    group.publish()
    return group


@pytest.fixture(scope="session")
def equipped(prepared: Group, tmp_path_factory: pytest.TempPathFactory) -> Group:
    """The same with a remote, and the keys."""
    group = prepared.copy(tmp_path_factory.mktemp("equipped"))
    group.set_up()
    return group


@pytest.fixture
def newcomers(prepared: Group, tmp_path: Path) -> Group:
    return prepared.copy(tmp_path)


@pytest.fixture
def group(equipped: Group, tmp_path: Path) -> Group:
    return equipped.copy(tmp_path)


# The experiment itself, in a small configuration.


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, storage: Storage) -> Group:
    """The experiment, pushed; another one, pushed; and a colleague who has pulled the first."""
    group = Group(tmp_path_factory.mktemp("real"), storage, "real")
    group.mine.mkdir()
    copy_repository(group.mine)
    Workspace.create(group.mine).set_params(**TINY)
    commit_all(group.mine)
    run(group.mine, "dvc", "repro")
    group.publish()
    group.follow("Install the extra", group.mine)
    group.set_up()
    group.follow("Push", group.mine)
    assert "uploaded" in group.follow("Share an experiment", group.mine).stdout
    return group


@pytest.fixture(scope="module")
def joined(shared: Group) -> subprocess.CompletedProcess[str]:
    return shared.follow("Join as a colleague", shared.folder)


def read_outputs(folder: Path) -> dict[str, bytes | str]:
    """What the stages have made, without seconds and checkpoints."""
    files = {
        f"{name}/{path}": content
        for name in ("data", "models", "metrics")
        for path, content in snapshot(folder / name).items()
    }
    return {path: content for path, content in files.items() if not re.search("timing|data/cache", path)}


def test_a_colleague_pulls_every_byte_and_reruns_nothing(
    shared: Group, joined: subprocess.CompletedProcess[str]
) -> None:
    run(shared.mine, "bash", "-c", BACK)
    assert read_outputs(shared.theirs) == read_outputs(shared.mine)
    assert "Running stage" not in joined.stdout
    assert "up to date" in run(shared.theirs, "dvc", "status").stdout
    assert run(shared.theirs, "git", "status", "--porcelain").stdout == ""


def test_an_experiment_arrives_with_its_data(shared: Group, joined: subprocess.CompletedProcess[str]) -> None:
    before = (shared.theirs / MODEL).read_bytes()
    shared.follow("Get an experiment", shared.theirs)
    run(shared.mine, "dvc", "exp", "apply", "slower")
    assert read_outputs(shared.theirs) == read_outputs(shared.mine)
    assert (shared.theirs / MODEL).read_bytes() != before
    assert "0.0005" in (shared.theirs / "params.yaml").read_text()
    assert "up to date" in run(shared.theirs, "dvc", "status").stdout


def test_git_holds_no_picture_and_the_page_names_all_that_the_remote_holds(shared: Group) -> None:
    tracked = run(shared.mine, "git", "ls-files").stdout.splitlines()
    assert not [name for name in tracked if Path(name).suffix in {".jpg", ".jpeg", ".png", ".npy", ".keras"}]
    lock = (
        YAML(typ="safe").load(shared.mine / "dvc.lock")["stages"]
        | YAML(typ="safe").load(shared.mine / "data" / "dvc.lock")["stages"]
    )
    outputs = {out["path"] for stage in lock.values() for out in stage.get("outs", [])}
    pushed = {
        path for path in outputs if path not in tracked and not any(name.startswith(f"{path}/") for name in tracked)
    }
    text = PAGE.read_text()
    assert {path for path in pushed if f"`{path}`" not in text} == {MODEL}


def test_the_extra_leaves_every_pinned_version() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip("\\")) for line in lines if line[:1].isalnum()]
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    assert len(pins) > 100
    assert [f"{pin.name} {version(pin.name)}" for pin in pins if version(pin.name) not in pin.specifier] == []


# From here on with a stub in place of the experiment.


def test_a_killed_push_uploads_the_rest(group: Group) -> None:
    kill_half_way(group, "dvc", "push")
    assert 0 < len(group.missing(group.mine / "data" / "prepared")) < 20
    uploads = group.storage.uploads
    group.follow("Push", group.mine)
    # Twenty files, their list and the model, seven of which were there.
    assert group.storage.uploads - uploads == 15
    group.follow("Join as a colleague", group.folder)
    assert read_outputs(group.theirs) == read_outputs(group.mine)


def test_a_killed_push_of_an_experiment_uploads_the_rest(group: Group) -> None:
    group.follow("Push", group.mine)
    run(group.mine, "dvc", "exp", "run", "--name", "slower", "-S", "train.learning_rate=0.0005")
    kill_half_way(group, "dvc", "exp", "push", "origin", "slower")
    group.follow("Join as a colleague", group.folder)
    # It warns, and ends well.
    assert "Missing cache files" in run(group.theirs, "dvc", "exp", "pull", "origin", "slower").stderr
    fail("Checkout failed", group.theirs, "dvc", "exp", "apply", "slower")
    assert "15 files uploaded" in run(group.mine, "dvc", "exp", "push", "origin", "slower").stdout
    group.follow("Get an experiment", group.theirs)
    assert read_outputs(group.theirs) == read_outputs(group.mine)


def kill_half_way(group: Group, *command: str) -> None:
    """Kill a push, and what it has started, when it has uploaded seven files."""
    group.storage.hold_after(7)
    pushing = subprocess.Popen(
        command, cwd=group.mine, env=dvc_environment(group.mine), start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        assert group.storage.is_holding.wait(60)
        # The answers to the seven are on their way.
        time.sleep(1)
    finally:
        os.killpg(pushing.pid, signal.SIGKILL)
        pushing.wait()
        group.storage.release()


def test_wrong_keys_are_refused_and_lose_nothing(group: Group) -> None:
    run(group.mine, "dvc", "exp", "run", "--name", "slower", "-S", "train.learning_rate=0.0005")
    before = read_outputs(group.mine)
    for wrong in ({"KEY": "AKIAWRONG"}, {"SECRET": "wrong"}):
        group.follow("Enter the keys", group.mine, **wrong)
        fail("Forbidden", group.mine, "dvc", "push")
    pushed = fail("failed to push cache", group.mine, "dvc", "exp", "push", "origin", "slower")
    assert "Pushed experiment" in pushed.stdout
    assert "Forbidden" in pushed.stderr
    assert group.storage.list_hashes(group.bucket) == set()
    group.clone()
    group.follow("Enter the keys", group.theirs, SECRET="wrong")
    fail("Forbidden", group.theirs, "dvc", "pull")
    assert read_outputs(group.mine) == before
    group.follow("Enter the keys", group.mine)
    group.follow("Push", group.mine)
    assert group.missing(group.mine / "data" / "prepared") == set()


def fail(message: str, folder: Path, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command, which must fail within a minute with a message that the page explains."""
    environment = dvc_environment(folder) | changes
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode != 0, result.stdout
    assert message in result.stderr
    assert message in PAGE.read_text()
    return result


def test_missing_keys_are_said(group: Group) -> None:
    (group.mine / ".dvc" / "config.local").unlink()
    fail("Unable to locate credentials", group.mine, "dvc", "push")


def test_a_missing_extra_is_said(group: Group) -> None:
    without = "import sys; sys.modules['dvc_s3'] = None; from dvc.cli import main; sys.exit(main(['push']))"
    fail("s3 is supported, but requires 'dvc-s3'", group.mine, sys.executable, "-c", without)


def test_a_server_that_is_down_is_said_and_loses_nothing(group: Group) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    run(group.mine, "dvc", "remote", "modify", "--local", "storage", "endpointurl", address)
    before = read_outputs(group.mine)
    fail("Could not connect to the endpoint URL", group.mine, "dvc", "push")
    run(group.mine, "dvc", "remote", "modify", "--local", "storage", "endpointurl", group.storage.url)
    group.follow("Push", group.mine)
    assert group.missing(group.mine / "data" / "prepared") == set()
    assert read_outputs(group.mine) == before


def test_a_server_that_does_not_answer_ends_a_push_by_the_time_out_and_by_ctrl_c(group: Group) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name, value in (("endpointurl", address), ("read_timeout", "1"), ("connect_timeout", "1")):
            run(group.mine, "dvc", "remote", "modify", "--local", "storage", name, value)
        fail("Read timeout", group.mine, "dvc", "push", AWS_MAX_ATTEMPTS="1")
        pushing = subprocess.Popen(
            ("dvc", "push"),
            cwd=group.mine,
            env=dvc_environment(group.mine),
            preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
        )
        time.sleep(5)
        pushing.send_signal(signal.SIGINT)
        assert pushing.wait(10) != 0


def test_an_experiment_from_before_the_remote_arrives_in_the_end(
    newcomers: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = newcomers
    run(group.mine, "dvc", "exp", "run", "--name", "EARLY", "-S", "train.learning_rate=0.0005")
    expected = read_outputs(group.mine)
    run(group.mine, "bash", "-c", BACK)
    group.follow("Set up the remote", group.mine)
    # What the page warns of: where one of these three fails, DVC has learnt better, and the page may be shorter.
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", group.storage.key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", group.storage.secret)
        assert run(group.mine, "dvc", "exp", "push", "origin", "EARLY").stdout.startswith("Pushed experiment EARLY")
        fail("failed to push cache", group.mine, "dvc", "exp", "push", "--remote", "storage", "origin", "EARLY")
    group.follow("Enter the keys", group.mine)
    fail("expected 'url' for dictionary value", group.mine, "dvc", "exp", "push", "origin", "EARLY")
    assert group.storage.list_hashes(group.bucket) == set()
    group.follow("Push", group.mine)
    pushed = group.follow("Experiments from before the remote", group.mine)
    assert "22 files uploaded" in pushed.stdout
    group.follow("Join as a colleague", group.folder)
    group.follow("Get an experiment from before the remote", group.theirs)
    assert read_outputs(group.theirs) == expected
    assert "up to date" in run(group.theirs, "dvc", "status").stdout
    assert run(group.theirs, "git", "diff", "--stat", ".dvc/config").stdout == ""


def test_the_models_can_be_had_alone(group: Group) -> None:
    group.follow("Push", group.mine)
    group.clone()
    group.follow("Enter the keys", group.theirs)
    group.follow("Only the models", group.theirs)
    assert (group.theirs / MODEL).read_bytes() == (group.mine / MODEL).read_bytes()
    assert not (group.theirs / "data" / "prepared").exists()


def test_outputs_that_are_not_pushed_stay_here(group: Group) -> None:
    file = group.mine / "dvc.yaml"
    file.write_text(file.read_text().replace("- data/prepared", "- data/prepared:\n          push: false"))
    assert "up to date" in run(group.mine, "dvc", "status").stdout
    run(group.mine, "git", *AUTHOR, "commit", "-q", "--all", "-m", "photographs stay here")
    group.follow("Push", group.mine)
    group.follow("Share an experiment", group.mine)
    assert len(group.storage.list_hashes(group.bucket)) == 2
    assert len(group.missing(group.mine / "data" / "prepared")) == 20
    group.clone()
    group.follow("Enter the keys", group.theirs)
    assert "data/prepared" in fail("Checkout failed", group.theirs, "dvc", "pull").stderr
    group.follow("Only the models", group.theirs)


def test_a_folder_needs_neither_keys_nor_an_endpoint(newcomers: Group) -> None:
    group = newcomers
    run(group.mine, "dvc", "remote", "add", "-d", "storage", str(group.folder / "shared"))
    run(group.mine, "git", *AUTHOR, "commit", "-q", "--all", "-m", "remote")
    group.follow("Push", group.mine)
    assert "uploaded" in group.follow("Share an experiment", group.mine).stdout
    group.clone()
    run(group.theirs, "dvc", "pull")
    group.follow("Get an experiment", group.theirs)
    assert read_outputs(group.theirs) == read_outputs(group.mine)


def test_all_commands_of_the_page_were_run() -> None:
    assert followed == set(COMMANDS)
