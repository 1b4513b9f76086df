"""Versions other than the pinned ones are said at once, with the fix."""

import ast
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from conftest import ROOT, Workspace
from packaging.utils import canonicalize_name

from affect.plumbing import versions
from affect.plumbing.errors import InputError
from affect.plumbing.versions import RESULT_PACKAGES, check_versions


def write(folder: Path, *lines: str) -> Path:
    file = folder / "requirements.txt"
    file.write_text("".join(f"{line} \\\n    --hash=sha256:0\n    # via keras\n" for line in lines))
    return file


def test_the_pinned_versions_are_accepted(tmp_path: Path) -> None:
    check_versions(write(tmp_path, f"numpy=={version('numpy')}", "tensorflow==1 ; sys_platform == 'win32'"))


def test_a_package_that_no_result_depends_on_may_be_of_any_version(tmp_path: Path) -> None:
    check_versions(write(tmp_path, "psutil==0.0.1", "no-such-package==4.5"))


def test_whatever_src_imports_is_checked_or_changes_no_result() -> None:
    distributions = packages_distributions()
    files = [file.read_text() for file in (ROOT / "src").rglob("*.py")]
    imported = {
        name.split(".")[0]
        for node in (node for text in files for node in ast.walk(ast.parse(text)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    used = {canonicalize_name(distributions[module][0]) for module in imported if module in distributions}
    harmless = {"dvc", "filelock", "hydra-core", "joblib", "markupsafe", "packaging", "psutil", "pyyaml"}
    harmless |= {"rich", "scmrepo", "threadpoolctl", "tqdm"}
    assert used - harmless == RESULT_PACKAGES
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert set(map(canonicalize_name, pins)) >= RESULT_PACKAGES


def test_every_other_version_is_named_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "RESULT_PACKAGES", {"numpy", "keras", "no-such-package"})
    file = write(tmp_path, "numpy==1.2.3", f"keras=={version('keras')}", "No-such-package==4.5")
    with pytest.raises(InputError) as refusal:
        check_versions(file)
    assert str(refusal.value) == (
        f"numpy is {version('numpy')}, not ==1.2.3; No-such-package is not installed, and is to be ==4.5; "
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
