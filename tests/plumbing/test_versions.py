"""Versions other than the pinned ones are said at once, with the fix."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import ROOT, Workspace

from affect.plumbing.errors import InputError
from affect.plumbing.versions import check_versions


def write(folder: Path, *lines: str) -> Path:
    file = folder / "requirements.txt"
    file.write_text("".join(f"{line} \\\n    --hash=sha256:0\n    # via keras\n" for line in lines))
    return file


def test_the_pinned_versions_are_accepted(tmp_path: Path) -> None:
    check_versions(write(tmp_path, f"numpy=={version('numpy')}", "pywin32==1 ; sys_platform == 'win32'"))


def test_every_other_version_is_named_with_the_fix(tmp_path: Path) -> None:
    file = write(tmp_path, "numpy==1.2.3", f"keras=={version('keras')}", "no-such-package==4.5")
    with pytest.raises(InputError) as refusal:
        check_versions(file)
    assert str(refusal.value) == (
        f"numpy is {version('numpy')}, not ==1.2.3; no-such-package is not installed, and is to be ==4.5; "
        "run `pip install -r requirements.txt`, or `make lock` to pin others"
    )


def test_another_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "14", "1"))
    with pytest.raises(InputError, match="needs Python 3"):
        check_versions(write(tmp_path))


def test_a_script_says_so_before_it_begins(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "numpy-1.2.3.dist-info").mkdir()
    (tmp_path / "numpy-1.2.3.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.2.3\n")
    result = subprocess.run(
        [sys.executable, ROOT / "src" / "prepare.py"],
        cwd=workspace.folder,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"prepare: numpy is 1.2.3, not =={version('numpy')}; run `pip install -r requirements.txt`")
