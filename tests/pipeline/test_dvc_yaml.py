"""dvc.yaml declares what the scripts really use: a forgotten dependency would keep a stale result."""

import ast
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

import train

SOURCE = ROOT / "src"
SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish", "tcsh") if shutil.which(shell)]
PIPELINES = sorted(ROOT.glob("pipelines/*/dvc.yaml"))


def find_module(name: str) -> Path | None:
    for path in (SOURCE / f"{name.replace('.', '/')}.py", SOURCE / name.replace(".", "/") / "__init__.py"):
        if path.exists():
            return path
    return None


def direct_imports(file: Path) -> set[Path]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {module for name in names if (module := find_module(name)) is not None}


def imported_files(script: Path) -> set[Path]:
    """Return a script and the repository's own modules that it imports, directly or through others."""
    found: set[Path] = set()
    waiting = {script}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= direct_imports(file) - found
    return found


def stages() -> dict[str, dict]:
    """The stages by the names of their scripts: prepare of pipelines/external is external_prepare."""
    found: dict[str, dict] = {}
    for file in [ROOT / "dvc.yaml", ROOT / "data/dvc.yaml", *PIPELINES]:
        prefix = f"{file.parent.name}_" if file in PIPELINES else ""
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            found[prefix + name] = stage.get("do", stage)
    return found


def room(module: Path) -> str:
    """The room of a module in src/affect; the drawn faces count as a room of their own."""
    parts = module.relative_to(SOURCE / "affect").parts
    return "/".join(parts[:2] if parts[:2] == ("synthetic", "faces") else parts[:1])


@pytest.mark.parametrize("name", stages())
def test_a_stage_depends_on_its_script_and_on_the_rooms_that_it_reaches(name: str) -> None:
    script = SOURCE / f"{name}.py"
    reached = {room(module) for module in imported_files(script) - {script} if module.parent != SOURCE / "affect"}
    if "synthetic" in reached:
        reached.discard("synthetic/faces")
    declared = [dep for dep in stages()[name]["deps"] if dep.startswith("src")]
    assert set(declared) == {f"src/{name}.py"} | {f"src/affect/{room}" for room in reached - {"plumbing"}}
    assert len(declared) == len(set(declared))


def test_a_training_is_identified_by_the_rooms_that_it_depends_on() -> None:
    declared = {dep for dep in stages()["train"]["deps"] if dep.startswith("src/affect/")}
    assert {f"src/affect/{room}" for room in train.ROOMS} == declared


@pytest.mark.parametrize("name", ["pretrain", "prepare", "augment", "train", "evaluate"])
def test_metrics_and_curves_are_in_git_and_pictures_of_people_are_not(name: str) -> None:
    stage = stages()[name]
    for kind in ("metrics", "plots"):
        for entry in stage.get(kind, []):
            in_git = isinstance(entry, dict) and not next(iter(entry.values()))["cache"]
            assert in_git or entry in ("metrics/plots/augmented.png", "metrics/plots/worst_errors")


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.parent.name)
def test_a_further_pipeline_waits_to_be_asked_and_leaves_the_experiment_alone(file: Path) -> None:
    params = yaml.safe_load(file.with_name("params.yaml").read_text())
    for stage in yaml.safe_load(file.read_text())["stages"].values():
        for over in stage["matrix"].values() if "matrix" in stage else [stage["foreach"]]:
            assert params[over.removeprefix("${").removesuffix("}")] in ({}, [])
        declared = stage.get("do", stage)
        assert not {"metrics", "plots"} & declared.keys()
        for entry in declared["outs"]:
            output = entry if isinstance(entry, str) else next(iter(entry))
            assert not output.startswith(("models", "metrics/train", "data/prepared", "data/augmented"))


@pytest.mark.parametrize("template", sorted((ROOT / ".dvc" / "plots").glob("*.json")), ids=lambda file: file.stem)
def test_a_facet_never_keeps_the_order_of_the_data(template: Path) -> None:
    """Vega-Lite would lay out its cells in another order than their headers."""
    facet = json.loads(template.read_text())["facet"]
    headers = [facet] if "field" in facet else facet.values()
    assert all(header.get("sort") != [] for header in headers)


def test_what_one_compares_is_left_of_where_dvc_cuts_its_table() -> None:
    """`dvc exp show` keeps 1,024 characters: names of experiments and some columns that it always shows take 150."""
    results = json.loads((ROOT / "metrics" / "evaluate.json").read_text())
    width = 150
    shown = []
    for network, tasks in results.items():
        for task, metrics in tasks.items() if isinstance(tasks, dict) else ():
            for metric in metrics if isinstance(metrics, dict) and task != "intervals" else ():
                width += len(f"{network}.{task}.{metric}   ")
                shown += [(network, task, metric)] if width <= 1024 else []
    for network in ("resnet50", "efficientnetb1"):
        for column in (("emotion", "accuracy"), ("emotion", "f1"), ("valence", "ccc"), ("arousal", "ccc")):
            assert (network, *column) in shown


@pytest.mark.parametrize("shell", SHELLS)
def test_any_shell_takes_the_command_of_training(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC runs it by the user's."""
    command = stages()["train"]["cmd"].replace("python src/train.py ${item}", "echo trains")
    for launch in (None, "env -u X"):
        if launch:
            monkeypatch.setenv("AFFECT_LAUNCH", launch)
        ran = subprocess.run([shell, "-c", command], capture_output=True, text=True, check=True)
        assert ran.stdout == "trains\n"
