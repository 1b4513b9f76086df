"""The documents hold no result that the committed run did not produce, and no link that leads nowhere."""

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT

from affect.experiments.sweep.plan import overridden
from affect.plumbing.params import load_params

METRICS = {
    name: results
    for name, results in json.loads((ROOT / "metrics" / "evaluate.json").read_text()).items()
    if isinstance(results, dict) and "emotion" in results
}
ROW = re.compile(r"^\| (\S+) \| (emotion|valence|arousal) \| (.+) \|$", re.MULTILINE)
SHORT_ROW = re.compile(r"^\| (\w+\d+) \| (0\..+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
COLUMNS = {
    "emotion": ["accuracy", "f1", "cohen_kappa", "krippendorff_alpha", "auc_roc", "auc_pr"],
    "valence": ["rmse", "corr", "sagr", "ccc", "mae", "r2"],
    "arousal": ["rmse", "corr", "sagr", "ccc", "mae", "r2"],
}
SHORT_COLUMNS = [("emotion", "accuracy"), ("emotion", "f1"), ("valence", "ccc"), ("arousal", "ccc")]
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*.md")]
DOCUMENTS += [ROOT / "data" / folder / "README.md" for folder in ("splits", "weights")]


def split_cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|")]


def test_the_results_are_the_committed_run() -> None:
    rows = ROW.findall((ROOT / "docs" / "results.md").read_text())
    assert len(rows) == len(METRICS) * len(COLUMNS)
    for backbone, task, cells in rows:
        values = [METRICS[backbone][task].get(name) for name in COLUMNS[task]]
        assert split_cells(cells) == ["undefined" if value is None else f"{value:.3f}" for value in values]


def test_the_readmes_results_are_the_committed_run() -> None:
    rows = SHORT_ROW.findall((ROOT / "README.md").read_text())
    assert [backbone for backbone, _ in rows] == list(METRICS)
    for backbone, cells in rows:
        assert split_cells(cells) == [f"{METRICS[backbone][task][name]:.3f}" for task, name in SHORT_COLUMNS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for name, anchor in LINK.findall(document.read_text()):
        target = document.parent / name if name else document
        assert target.exists(), f"{document}: {name}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_the_documents_name_of_the_code_is_there() -> None:
    for document in DOCUMENTS:
        text = document.read_text()
        for path in re.findall(r"`(src/[\w/.]+)`", text):
            assert (ROOT / path).exists(), f"{document}: {path}"
        for name, path in re.findall(r"`(\w+)`\s+in\s+`(src/[\w/]+\.py)`", text):
            assert re.search(rf"^(?:def |class )?{name}\b", (ROOT / path).read_text(), re.MULTILINE), f"{path}: {name}"


def test_the_map_names_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "src" / "affect").glob("*/__init__.py")}
    for document in (ROOT / "src" / "affect" / "__init__.py", ROOT / "docs" / "contributing.md", ROOT / "README.md"):
        text = document.read_text()
        assert {room for room in rooms if not re.search(rf"\b{room}\b", text)} == set()


def test_the_modern_recipe_is_the_same_wherever_it_stands() -> None:
    makefile, document = ((ROOT / name).read_text() for name in ("Makefile", "docs/recipe.md"))
    made = makefile.split("MODERN := ")[1].split("ARGS")[0]
    documented = document.split("```\ndvc exp run ")[1].split("```")[0]
    overrides = [re.findall(r"-S (\S+)", text) for text in (made, documented)]
    assert len(overrides[0]) >= 10
    assert overrides[0] == overrides[1]
    with overridden(ROOT / "params.yaml", overrides[0]) as copy:
        assert load_params(copy) != load_params(ROOT / "params.yaml")
