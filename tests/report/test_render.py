"""The report holds no figure that evaluate.json or prepare.json does not hold, and loads nothing from elsewhere."""

import base64
import json
import re
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from conftest import ROOT, draw_predictions
from page_parser import Page

import evaluate as stage
from affect.evaluation.baselines import baselines
from affect.evaluation.groups.division import find_groups
from affect.evaluation.results import evaluate
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params
from affect.report.provenance import dataset_hash
from affect.report.render import LocalExtras, render_html, render_markdown
from affect.report.run_results import Results, read_results

PREPARE = {
    "found": 130,
    "used": 120,
    "not_sampled": 0,
    "dropped": {"total": 10, "unreadable": 10},
    "duplicates": {"groups": 2, "images": 4, "groups_of_several_expressions": 1, "groups_across_splits": 0},
    "people": {"people": 0, "images": 0, "largest": 0, "across_splits": 0},
    "split_from": "drawn",
    "splits": {"train": {"images": 60, "neutral": 60}, "val": {"images": 60, "neutral": 60}},
}
PARAMETERS = load_params(ROOT / "params.yaml").reported


def run_evaluation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tables: dict[str, pd.DataFrame], known: pd.DataFrame | None = None
) -> Results:
    """Leave in `folder`, of the name metrics, what the stage does, without its networks."""
    monkeypatch.chdir(folder.parent)
    groups = [] if known is None else find_groups(known)
    results = evaluate(tables, resamples=200, seed=1, calibration_bins=10, groups=groups)
    for network in tables:
        (folder / "train" / network).mkdir(parents=True)
        curve = {"measure": "loss", "images": "validation", "epoch": [1, 2], "value": [1.0, 0.5]}
        pd.DataFrame(curve).to_csv(folder / "train" / network / "curves.csv", index=False)
        trained = {"precision": "float32", "best_epoch": 2, "epochs": 4}
        (folder / "train" / network / "metrics.json").write_text(json.dumps(trained))
    held_out = next(iter(tables.values()))
    cost = {"parameters": 1_234_567, "trainable_parameters": 4321, "size_mb": 12.3}
    results |= {"cost": dict.fromkeys(tables, cost), "baselines": baselines(held_out, held_out)}
    (folder / "evaluate.json").write_text(json.dumps({"split": "val", "images": 60} | results))
    (folder / "prepare.json").write_text(json.dumps(PREPARE))
    stage.write_tables(tables, 10)
    return read_results(folder)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Results:
    tables = {"resnet50": draw_predictions(60, 1), "efficientnetb1": draw_predictions(60, 1, skill=1)}
    tables["efficientnetb1"]["expression"] = tables["resnet50"]["expression"]
    known = {"attribute.skin_tone": ["dark", "light", "light", "a|b", ""] * 12}
    known["attribute.yaw"] = [f"{degrees / 2}" for degrees in range(-30, 30)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("evaluated") / "metrics"
        return run_evaluation(folder, monkeypatch, tables, pd.DataFrame(known))


@pytest.fixture
def results(evaluated: Results) -> Results:
    """Results that a test may change."""
    return deepcopy(evaluated)


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the plots out of the page, which take a second to draw."""
    monkeypatch.setattr("affect.report.render.plot_all", lambda _: [])


def look_up(results: Results, path: str) -> float:
    value: object = {"evaluate": results.evaluate, "prepare": results.prepare, "train": results.train}
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]  # type: ignore[index]
    assert isinstance(value, int | float)
    return value


def test_every_figure_of_the_page_is_the_one_in_the_json(results: Results) -> None:
    page = Page(render_html(results, PARAMETERS, "1234.dir"))
    assert len(page.figures) > 200
    for path, text in page.figures:
        shown = text.replace(",", "").replace("−", "-")
        digits = len(shown.partition(".")[2])
        assert float(shown) == round(look_up(results, path), digits), path
    shown_paths = {path for path, _ in page.figures}
    for network in results.networks:
        for task in ("emotion", "valence", "arousal"):
            for metric in results.evaluate[network][task]:
                assert f"evaluate.{network}.{task}.{metric}" in shown_paths


def test_no_other_decimal_fraction_is_written_in_a_table_of_results(results: Results) -> None:
    html = render_html(results, PARAMETERS, "1234.dir")
    body = html.partition("<body>")[2].partition('<h2 id="run-it-again">')[0]
    rest = re.sub(r'<span data-number="[^"]+">[^<]+</span>|<img [^>]+>|<td class="group"[^>]*>[^<]+</td>', "", body)
    assert not re.findall(r"\d\.\d", rest)


def test_the_summary_holds_each_metric_with_its_interval_and_verdict(results: Results) -> None:
    table = render_markdown(results, PARAMETERS).partition("## Differences")[0]
    rows = dict(re.findall(r"^\| (\w+ \S+) \| (.+) \|$", table, re.MULTILINE))
    for label, task, metric in (("expression accuracy", "emotion", "accuracy"), ("valence CCC", "valence", "ccc")):
        cells = rows[label].split(" | ")
        for network, cell in zip(results.networks, cells, strict=False):
            low, high = results.evaluate[network]["intervals"][task][metric]
            assert cell == f"{results.evaluate[network][task][metric]:.3f} [{low:.3f}, {high:.3f}]"
        verdicts = [e["verdict"] for e in results.evaluate["comparison"] if (e["task"], e["metric"]) == (task, metric)]
        assert cells[2:3] == verdicts


def test_the_baselines_stand_beside_the_networks(results: Results) -> None:
    chance, constant = results.evaluate["baselines"]
    rows = dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", render_markdown(results, PARAMETERS), re.MULTILINE)[:19])
    assert rows["metric"].split(" | ")[3:] == ["chance", "constant"]
    accuracies = [f"{baseline['emotion']['accuracy']:.3f}" for baseline in (chance, constant)]
    assert rows["expression accuracy"].split(" | ")[3:] == accuracies
    assert rows["valence RMSE"].split(" | ")[3:] == ["–", f"{constant['valence']['rmse']:.3f}"]
    assert rows["valence CORR"].split(" | ")[3:] == ["–", "undefined"]
    page = render_html(results, PARAMETERS, None)
    shown = {path for path, _ in Page(page).figures}
    assert {"evaluate.baselines.0.emotion.f1", "evaluate.baselines.1.arousal.ccc"} <= shown
    assert f"by always answering <code>{constant['answer']['expression']}</code>" in page


def test_bounds_show_on_which_side_of_zero_they_are(results: Results) -> None:
    entries = results.evaluate["comparison"]
    entries[0] |= {"difference": 0.018, "interval": [0.000312, 0.037]}
    entries[1] |= {"difference": -0.0002, "interval": [-0.036, -0.000021]}
    entries[2] |= {"difference": -0.0002, "interval": [-0.03, 0.04]}
    entries[3] |= {"difference": 0.01, "interval": [0.0, 0.02]}
    results.evaluate["mcnemar"][0]["p"] = 0.000021
    summary, page = render_markdown(results, PARAMETERS), render_html(results, PARAMETERS, None)
    text = re.sub("<[^>]+>", "", page).replace("−", "-")
    for shown in (summary, text):
        assert "0.0180 [0.0003, 0.0370]" in shown
        assert "-0.00020 [-0.03600, -0.00002]" in shown
        assert "0.000 [-0.030, 0.040]" in shown
        assert "0.010 [0.000, 0.020]" in shown
        assert "p = 0.00002." in shown
        assert not re.search(r"-0\.0+\b", shown)
    results.evaluate["mcnemar"][0]["p"] = 0.0
    assert "p < 1e-6." in render_markdown(results, PARAMETERS)


def test_the_contents_lead_to_every_section(results: Results) -> None:
    html = render_html(results, PARAMETERS, None)
    page = Page(html)
    assert [reference for reference in page.references if reference.startswith("#")] == [f"#{id}" for id in page.ids]
    assert len(page.ids) == len(set(page.ids)) == html.count("<h2") == 8


def test_the_page_needs_nothing_else_and_its_plots_are_drawn(results: Results) -> None:
    page = Page(render_html(results, PARAMETERS, None))
    assert len(page.images) == 1 + 5 * len(results.networks)
    assert all(reference.startswith(("data:image/svg+xml;base64,", "#")) for reference in page.references)
    for image in page.images:
        svg = ElementTree.fromstring(base64.b64decode(image.partition(",")[2]))
        assert len(list(svg.iter("{http://www.w3.org/2000/svg}path"))) > 5


def test_what_no_network_has_learnt_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"resnet50": draw_predictions(60, 1), "efficientnetb1": draw_predictions(60, 2)}
    for table in tables.values():
        table[["valence", "arousal"]] = float("nan")
    page = render_html(run_evaluation(tmp_path / "metrics", monkeypatch, tables), PARAMETERS, None)
    assert page.count("Not defined: valence: not annotated, or not learnt.") == 1
    assert "undefined" not in page
    assert "valence MAE" not in page


def test_the_page_is_the_same_again(results: Results) -> None:
    assert render_html(results, PARAMETERS, "1234.dir") == render_html(results, PARAMETERS, "1234.dir")


def test_timings_and_pictures_are_in_the_unlocked_page_alone(results: Results, tmp_path: Path) -> None:
    picture = tmp_path / "worst.png"
    picture.write_bytes(b"png")
    unlocked = LocalExtras({"resnet50": {"seconds": 123.4, "peak_memory_mb": 1876}}, {"resnet50": picture})
    page = render_html(results, PARAMETERS, None, unlocked)
    assert "1,876" in page
    assert "not trained here" in page
    assert base64.b64encode(b"png").decode() in page
    assert "1,876" not in render_html(results, PARAMETERS, None)


def test_one_network_without_valence_and_arousal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["valence", "predicted_valence", "arousal", "predicted_arousal"]
    table = draw_predictions(60, 1).assign(**dict.fromkeys(names, float("nan")))
    results = run_evaluation(tmp_path / "metrics", monkeypatch, {"resnet50": table})
    page = render_html(results, PARAMETERS, None)
    assert "not annotated" in page
    assert "better</th>" not in page
    assert "#differences" not in page
    assert "by-group" not in page
    assert "By group" not in render_markdown(results, PARAMETERS)
    assert "nan" not in render_markdown(results, PARAMETERS)


def test_the_split_that_early_stopping_watched_is_named(results: Results) -> None:
    assert "Early stopping chose" in render_html(results, PARAMETERS, None)
    results.evaluate["split"] = "test"
    assert "not seen in training, nor by early stopping" in render_html(results, PARAMETERS, None)


def plain(html: str) -> str:
    return re.sub("<[^>]+>", "", html).replace("−", "-")


def test_each_group_has_its_metrics_in_the_page(results: Results) -> None:
    page = render_html(results, PARAMETERS, None)
    shown = {path for path, _ in Page(page).figures}
    assert re.findall(r'<td class="group"[^>]*>([^<]+)</td>', page) == [
        *("a|b", "dark", "light", "-15.0 to -5.5", "-5.0 to 4.5", "5.0 to 14.5")
    ]
    for network in results.networks:
        for place in range(6):
            for metric in ("emotion.accuracy", "emotion.f1", "valence.ccc", "arousal.ccc"):
                assert f"evaluate.{network}.groups.{place}.{metric}" in shown
                if len(results.evaluate[network]["groups"][place]["intervals"]) == 3:
                    assert f"evaluate.{network}.groups.{place}.intervals.{metric}.0" in shown
    assert "Not known of 12 images." in page


@pytest.mark.usefixtures("no_plots")
def test_groups_that_differ_are_marked_and_named_and_no_others(results: Results) -> None:
    for network in results.networks:
        for group in results.evaluate[network]["groups"]:
            for difference in group["differences"]:
                difference["differs"] = False
    assert "No group differs" in render_html(results, PARAMETERS, None)
    assert "By skin tone, yaw, no group differs" in render_markdown(results, PARAMETERS)
    group = results.evaluate["efficientnetb1"]["groups"][0]
    group["differences"][0] |= {"difference": -0.2, "interval": [-0.31, -0.1], "p": 0.012, "differs": True}
    page, summary = render_html(results, PARAMETERS, None), render_markdown(results, PARAMETERS)
    found = "expression accuracy is lower than that of the others (-0.200 [-0.310, -0.100], p = 0.012)"
    assert f"skin tone a|b, efficientnetb1: {found}" in plain(page)
    cells = re.findall(r"<td[^>]*>[▼▲] .*?</td>", page)
    assert [plain(cell).split()[:2] for cell in cells] == [["▼", f"{group['emotion']['accuracy']:.3f}"]]
    (row,) = [line for line in summary.splitlines() if "▼ -" in line]
    assert row.startswith(r"| skin tone | a\|b | 12 | efficientnetb1 | expression accuracy |")
    assert row.endswith("| ▼ -0.200 [-0.310, -0.100] | p = 0.012 |")


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize(
    ("people", "sentence"),
    [
        ((0, 0, 0), "not known: the dataset does not say who is on a picture."),
        ((31, 120, 0), "Subject-independent: no person is on two sides of the split (31 people)."),
        (
            (31, 90, 0),
            "No person who is known is on two sides of the split (31 people); who is on a picture is known of 90 of",
        ),
        ((31, 120, 2), "Not subject-independent: 2 of 31 people are on several sides of the split."),
        (
            (31, 90, 1),
            "Not subject-independent: 1 of 31 people is on several sides of the split; who is on a picture is known",
        ),
    ],
)
def test_what_is_known_of_people_is_said(results: Results, people: tuple[int, int, int], sentence: str) -> None:
    results.prepare["people"] = dict(zip(("people", "images", "across_splits"), people, strict=True))
    for text in (plain(render_html(results, PARAMETERS, None)), render_markdown(results, PARAMETERS)):
        assert sentence in text
        assert ("Subject-independent" in text) == (people[1:] == (120, 0))


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize(
    ("changed", "split_from", "sentence"),
    [
        ({"layout": "folders"}, "drawn", "read in the layout `folders`. The split was drawn"),
        ({"layout": "fer2013"}, "official", "with FER2013's own labels. The dataset's own split was kept."),
        ({"layout": "fer2013", "votes": "majority"}, "drawn", "with FERPlus's labels: the expression that most"),
        ({"layout": "fer2013", "votes": "soft"}, "drawn", "networks learn the shares of the annotators' votes"),
        ({"folds": 5, "fold": 2}, "folds", "Fold 2 of 5 is the `test` split"),
        ({"split_file": "data/splits/mine.csv"}, "split_file", "The split is that of `data/splits/mine.csv`."),
        ({}, "official_without_val", "it names no validation images, so `val` was drawn from its training images."),
        ({"train_fraction": 0.25}, "drawn", "only a share of 0.25 was used."),
    ],
)
def test_how_the_data_was_read_and_split_is_said(
    results: Results, changed: dict, split_from: str, sentence: str
) -> None:
    results.prepare["split_from"] = split_from
    parameters = PARAMETERS | {"data": PARAMETERS["data"] | changed}
    assert sentence in render_markdown(results, parameters)
    assert sentence.replace("`", "") in plain(render_html(results, parameters, None))


def test_the_datasets_hash_is_the_one_in_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    assert dataset_hash("data/faces", lock) is None
    lock.write_text("stages:\n  prepare:\n    deps:\n    - path: data/faces\n      md5: 12ab.dir\n")
    assert dataset_hash("data/faces", lock) == "12ab.dir"
    assert dataset_hash("data/other", lock) is None
    for same in (str(tmp_path / "data" / "faces"), "./data/faces/", "data/../data/faces"):
        assert dataset_hash(same, lock) == "12ab.dir"


def test_a_missing_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"evaluate\.json: No such file.*dvc repro"):
        read_results(tmp_path)
