"""Three revisions in one plot are told apart, in the colours and at the size that DVC's clients ask for."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import AUTHOR, ROOT, commit_all, run

REVISIONS = ["start", "second", "third"]
DATA, COLOUR = "<DVC_METRIC_DATA>", "<DVC_METRIC_COLOR>"
BACKBONES = yaml.safe_load((ROOT / "params.yaml").read_text())["backbones"]
TABLES = {
    "affect": "backbone,id,dimension,truth,predicted\nresnet50,1,valence,0.5,0.4\n",
    "circumplex": "backbone,id,expression,side,valence,arousal\nresnet50,1,happy,truth,0.5,0.1\n",
    "confusion": "backbone,expression,predicted_expression,images,share\nresnet50,happy,sad,1,0.25\n",
    "precision_recall": "backbone,expression,point,recall,precision\nresnet50,macro,0,0.0,1.0\n",
    "reliability": "backbone,bin,confidence,accuracy,images\nresnet50,10,0.95,0.9,10\n",
    "roc": "backbone,expression,point,false_positive_rate,true_positive_rate\nresnet50,macro,0,0.0,0.5\n",
}
CURVES = "measure,images,epoch,value\nloss,training,1,0.7\n"
TEMPLATES = sorted((ROOT / ".dvc" / "plots").glob("*.json"))


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `dvc plots diff` of three revisions gives a client, by the name of the plot."""
    folder = tmp_path_factory.mktemp("plots")
    for part in ("dvc.yaml", "params.yaml", ".dvc/config", ".dvc/plots"):
        (folder / part).parent.mkdir(exist_ok=True)
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    for name, table in TABLES.items():
        write(folder / "metrics" / "plots" / f"{name}.csv", table)
    for backbone in BACKBONES:
        write(folder / "metrics" / "train" / backbone / "curves.csv", CURVES)
    commit_all(folder)
    for revision in REVISIONS:
        run(folder, "git", *AUTHOR, "commit", "-q", "--allow-empty", "-m", revision)
        run(folder, "git", "tag", revision)
    shown = json.loads(run(folder, "dvc", "plots", "diff", *REVISIONS, "--json", "--split").stdout)
    return {name: entry for name, entries in shown["data"].items() for entry in entries if entry["type"] == "vega"}


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def mark_colours(view: dict[str, Any], colour: object = None) -> Iterator[object]:
    """Yield the colour of each mark that draws the revisions' data: its own, or that of a view around it."""
    if view.get("data", {"values": DATA}).get("values") != DATA:
        return
    colour = view.get("encoding", {}).get("color", colour)
    parts = view.get("layer", [view["spec"]] if "spec" in view else [])
    for part in parts:
        yield from mark_colours(part, colour)
    if not parts:
        yield colour


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_every_mark_has_the_colour_or_the_row_of_its_revision(file: Path) -> None:
    template = json.loads(file.read_text())
    in_rows = template["facet"].get("row", {}).get("field") == "rev"
    colours = list(mark_colours(template))
    assert colours
    assert in_rows or all(colour == COLOUR for colour in colours)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_a_client_sets_the_size_of_a_panel(file: Path) -> None:
    panel = json.loads(file.read_text())["spec"]
    assert (panel["width"], panel["height"]) == ("<DVC_METRIC_PLOT_WIDTH>", "<DVC_METRIC_PLOT_HEIGHT>")


def test_the_templates_of_earlier_commits_are_kept() -> None:
    """DVC draws all revisions with the templates of today, and fails where one of them names another."""
    charts = ("affect", "circumplex", "confusion", "curves", "reliability")
    assert {"training_by_measure", *(f"{chart}_by_backbone" for chart in charts)} <= {file.stem for file in TEMPLATES}


def test_dvc_draws_three_revisions_in_every_plot(plots: dict[str, dict[str, Any]]) -> None:
    declared = [name for plot in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"] for name in plot]
    assert set(plots) == {*declared, *(f"metrics/train/{backbone}/curves.csv" for backbone in BACKBONES)}
    for plot in plots.values():
        anchors = plot["anchor_definitions"]
        assert {point["rev"] for point in anchors[DATA]} == set(REVISIONS)
        if COLOUR in anchors:
            assert anchors[COLOUR]["field"] == "rev"
            assert anchors[COLOUR]["scale"]["domain"] == REVISIONS
        left = set(re.findall("<DVC_[A-Z_]+>", json.dumps(plot["content"])))
        assert left <= set(anchors), "nobody fills the others"


def test_a_cell_of_the_confusion_matrix_says_what_its_colour_means(plots: dict[str, dict[str, Any]]) -> None:
    plot = plots["Confusion matrix"]
    cells, text = plot["content"]["spec"]["layer"][:2]
    assert text["mark"]["type"] == "text"
    assert text["encoding"]["text"]["field"] == cells["encoding"]["color"]["field"]
    for title in (plot["anchor_definitions"]["<DVC_METRIC_TITLE>"], cells["encoding"]["color"]["title"]):
        assert "share" in title.lower()
