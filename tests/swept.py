"""The same experiments by several engines of sweep.py, each in a repository whose DVC knows nothing of the others."""

import sys
from pathlib import Path

import yaml
from conftest import TINY, Workspace, commit_all, copy_repository, run

SEEDS = (1, 2)
SWEEP = (sys.executable, "src/sweep.py", "--name", "seeds", "-S", f"train.seed={','.join(map(str, SEEDS))}")


def make_repository(folder: Path) -> Path:
    """Make a repository of a tiny experiment."""
    folder.mkdir()
    copy_repository(folder)
    Workspace.create(folder).set_params(**TINY)
    commit_all(folder)
    return folder


def read_results(folder: Path) -> dict[int, str]:
    """Read metrics/evaluate.json of all experiments, by their seeds."""
    refs = run(folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    found = {}
    for ref in refs:
        if ref.rpartition("/")[2].startswith("seeds-"):
            shown = [
                run(folder, "git", "show", f"{ref}:{file}").stdout for file in ("params.yaml", "metrics/evaluate.json")
            ]
            found[yaml.safe_load(shown[0])["train"]["seed"]] = shown[1]
    return found


def sweep_here(folder: Path) -> dict[int, str]:
    """Run the experiments by the local engine."""
    run(make_repository(folder), *SWEEP)
    return read_results(folder)
