"""The page of another dataset names both, shows no number that results.json does not hold, and joins the report."""

import json
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, draw_predictions
from page_parser import Page
from test_render import PARAMETERS, PREPARE, run_evaluation

from affect.evaluation.baselines import baselines
from affect.evaluation.results import evaluate_ways
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params
from affect.report.pages.external import External, read_external, render_external_html, render_external_markdown
from affect.report.pages.joined import MATRIX_METRICS, read_pages
from affect.report.provenance import changed_parameters, model_hashes
from affect.report.render import LocalExtras, render_html
from affect.report.run_results import Results

CARD = {
    "trained_on": {"dataset": "data/drawn", "layout": "affectnet", "images": 48, "prepared": "11", "augmented": "22"},
    "expressions": [],
    "image_size": 32,
    "preprocessing": "letterboxed to 32 x 32 pixels, RGB 0-255; the rest is inside the model",
}
NETWORKS = ("resnet50", "efficientnetb1")
MODELS = {network: f"md5 of {network}" for network in NETWORKS}


def write_external(folder: Path, name: str = "web", classes: int = 8, copies: int = 0, align: str = "") -> External:
    """Leave in metrics/external/NAME what the two stages leave, without their networks."""
    tables = {network: draw_predictions(120, seed, skill=seed) for seed, network in enumerate(NETWORKS, start=1)}
    truth = tables[NETWORKS[0]]["expression"].to_numpy() % classes
    tables = {network: table.assign(expression=truth) for network, table in tables.items()}
    if classes < 8:
        tables = {
            network: table.assign(valence=float("nan"), arousal=float("nan")) for network, table in tables.items()
        }
    results = {
        "dataset": {
            "name": name,
            "fitting": align or "letterboxed to 32 x 32 pixels",
            **{"dataset": f"data/{name}", "layout": "folders", "align": "none", "images": 120, "hash": "33"},
        },
        "models": {network: {"md5": md5, "card": CARD} for network, md5 in MODELS.items()},
        "copies": {"train": copies, "val": 0},
        **evaluate_ways(tables, resamples=200, seed=1, calibration_bins=10),
        "baselines": {"free": baselines(tables[NETWORKS[0]], tables[NETWORKS[0]])},
    }
    if classes < 8:
        results["baselines"]["limited"] = baselines(tables[NETWORKS[0]], tables[NETWORKS[0]], range(classes))
    place = folder / "external" / name
    place.mkdir(parents=True)
    (place / "results.json").write_text(json.dumps(results))
    (place / "prepare.json").write_text(json.dumps(PREPARE))
    external = read_external(place)
    (place / "report.html").write_text(render_external_html(external, 200))
    return external


def look_up(external: External, path: str) -> float:
    value: object = {"external": {external.name: external.results}, "prepare": {external.name: external.prepare}}
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]  # type: ignore[index]
    assert isinstance(value, int | float)
    return value


def check_numbers(html: str, external: External) -> set[str]:
    """Compare what is shown of a dataset with its JSON; returns the paths."""
    shown = [
        (path, text)
        for path, text in Page(html).figures
        if path.split(".")[:2] in (["external", external.name], ["prepare", external.name])
    ]
    for path, text in shown:
        plain = text.replace(",", "").replace("−", "-")
        assert float(plain) == round(look_up(external, path), len(plain.partition(".")[2])), path
    return {path for path, _ in shown}


@pytest.mark.parametrize("classes", [8, 5])
def test_every_number_of_the_page_is_the_one_in_the_json(tmp_path: Path, classes: int) -> None:
    external = write_external(tmp_path, classes=classes)
    shown = check_numbers(render_external_html(external, 200), external)
    for network in NETWORKS:
        for way in external.ways:
            assert f"external.web.{way}.{network}.emotion.accuracy" in shown
            assert f"external.web.{way}.{network}.intervals.emotion.accuracy.0" in shown
    assert external.ways == (["free"] if classes == 8 else ["free", "limited"])
    assert ("external.web.free.resnet50.valence.ccc" in shown) == (classes == 8)


def test_the_page_is_headed_by_what_the_models_say_and_the_dataset(tmp_path: Path) -> None:
    external = write_external(tmp_path)
    for text in (render_external_html(external, 200), render_external_markdown(external, 200)):
        assert "Trained on data/drawn, tested on data/web" in text


def test_a_page_says_which_way_is_which(tmp_path: Path) -> None:
    external = write_external(tmp_path, classes=5)
    page = render_external_html(external, 200)
    assert page.count("<th>any of 8</th><th>one of its 5</th>") == len(NETWORKS)
    assert "lacks disgust, anger and contempt" in page
    rows = [
        row for row in render_external_markdown(external, 200).splitlines() if row.startswith("| expression accuracy")
    ]
    (cells,) = [[cell.strip().split(" ")[0] for cell in row.split("|")[2:6]] for row in rows]
    expected = [external.results[way][network]["emotion"]["accuracy"] for network in NETWORKS for way in external.ways]
    assert cells == [f"{value:.3f}" for value in expected]


def test_what_the_training_began_with_is_told(tmp_path: Path) -> None:
    external = write_external(tmp_path)
    start = {"file": "data/weights/resnet50/start.keras", "md5": "55", "dataset": "data/old"}
    external.results["models"][NETWORKS[0]]["card"] = CARD | {"started_from": start}
    page = render_external_markdown(external, 200)
    told = (
        "`data/drawn`, beginning with `data/weights/resnet50/start.keras`, which had been trained on `data/old`. Here"
    )
    assert told in page


def test_copies_and_another_fitting_are_told(tmp_path: Path) -> None:
    clean = render_external_html(write_external(tmp_path / "a"), 200)
    assert "None of its pictures is a copy" in clean
    assert "fitted otherwise" not in clean
    page = render_external_html(
        write_external(tmp_path / "b", copies=7, align="aligned by the eyes to 32 x 32 pixels"), 200
    )
    assert "copies of ones that the models have seen" in page
    assert ("external.web.copies.train", "7") in Page(page).figures
    assert "fitted otherwise than in training" in page


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    tables: dict[str, pd.DataFrame] = {network: draw_predictions(60, 1) for network in NETWORKS}
    return run_evaluation(tmp_path / "metrics", monkeypatch, tables)


def test_pages_of_the_present_models_are_joined_with_the_matrix(tmp_path: Path, results: Results) -> None:
    externals = [write_external(tmp_path / "metrics", "web"), write_external(tmp_path / "metrics", "lab", classes=5)]
    pages, left_out = read_pages(tmp_path / "metrics", MODELS)
    assert left_out == []
    html = render_html(results, PARAMETERS, None, LocalExtras({}, {}, pages))
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)
    for external in externals:
        assert f"tested on data/{external.name}</h1>" in html
        check_numbers(html[html.index("<article") :], external)
    matrix = html[html.index('id="other-datasets"') : html.index("<article")]
    shown = {path for path, _ in Page(matrix).figures}
    for task, metric in MATRIX_METRICS:
        for network in NETWORKS:
            assert f"evaluate.{network}.{task}.{metric}" in shown
            assert f"external.web.free.{network}.{task}.{metric}" in shown
    assert "external.lab.limited.resnet50.emotion.f1" in shown
    assert "external.lab.limited.resnet50.valence.ccc" not in shown
    for external in externals:
        check_numbers(matrix, external)


def test_a_page_of_other_models_is_named_and_left_out(tmp_path: Path) -> None:
    write_external(tmp_path, "web")
    pages, left_out = read_pages(tmp_path, MODELS | {"resnet50": "trained again"})
    assert pages == []
    assert left_out == [f"{tmp_path}/external/web/report.html is left out: it is of another resnet50"]
    assert read_pages(tmp_path, {})[0] == []


def test_without_further_pages_the_report_is_as_it_was(results: Results) -> None:
    html = render_html(results, PARAMETERS, None, LocalExtras({}, {}))
    assert "other-datasets" not in html
    assert html == render_html(results, PARAMETERS, None)


@pytest.mark.parametrize("content", ["{", "[]", '{"models": {}}', '{"models": {"resnet50": {}}}'])
def test_a_damaged_page_is_named(tmp_path: Path, content: str) -> None:
    write_external(tmp_path)
    (tmp_path / "external" / "web" / "results.json").write_text(content)
    with pytest.raises(InputError, match=r"external/web/re.*run the pipeline"):
        read_pages(tmp_path, MODELS)


def test_a_page_without_its_file_is_named(tmp_path: Path) -> None:
    write_external(tmp_path)
    (tmp_path / "external" / "web" / "report.html").unlink()
    with pytest.raises(InputError, match=r"report\.html: No such file"):
        read_pages(tmp_path, MODELS)


def test_a_clone_without_models_knows_them_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / "dvc.lock"
    assert model_hashes(NETWORKS, lock) == {}
    lock.write_text((ROOT / "dvc.lock").read_text())
    recorded = model_hashes(NETWORKS, lock)
    assert all(len(md5) == 32 for md5 in recorded.values())
    assert set(recorded) == set(NETWORKS)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resnet50.keras").write_bytes(b"another")
    here = model_hashes(NETWORKS, lock)
    assert here["efficientnetb1"] == recorded["efficientnetb1"]
    assert here["resnet50"] == "b32d73e56ec99bc5ec8f83871cde708a"


def test_parameters_of_another_run_than_the_lock_are_told(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    parameters = load_params(ROOT / "params.yaml").reported
    assert changed_parameters(parameters, NETWORKS, lock) == []
    lock.write_text((ROOT / "dvc.lock").read_text())
    assert changed_parameters(parameters, NETWORKS, lock) == []
    parameters["data"]["raw"] = "data/photos"
    parameters["train"]["loss_weights"]["valence"] = 1e-5
    assert changed_parameters(parameters, NETWORKS, lock) == [
        "data.raw is data/photos, was data/sample",
        "train.loss_weights.valence is 1e-05, was 1.0",
    ]


def test_chance_of_a_limited_prediction_is_of_the_expressions_that_the_dataset_has(tmp_path: Path) -> None:
    external = write_external(tmp_path, classes=5)
    table = render_external_markdown(external, 200)
    row = next(line for line in table.splitlines() if line.startswith("| expression accuracy"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    header = next(line for line in table.splitlines() if line.startswith("| metric"))
    names = [cell.strip() for cell in header.strip("|").split("|")]
    found = dict(zip(names, cells, strict=True))
    assert (found["chance, any of 8"], found["chance, one of its 5"]) == ("0.125", "0.200")
