"""The page of a network's exports shows no number that its JSON does not hold, and says which export is worse."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions
from page_parser import Page

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.evaluation.results import evaluate
from affect.plumbing.errors import InputError
from affect.report.pages.export import Exported, read_export, render_export_html, render_export_markdown
from affect.report.pages.joined import read_pages

TIMES = {"milliseconds": 4.25, "milliseconds_of_32": 1.75, "megabytes": 120.0}


def spoil(table: pd.DataFrame) -> pd.DataFrame:
    """Predictions that name every fourth image wrongly and get valence nearly half wrong."""
    wrong = np.where(np.arange(len(table)) % 4, table["predicted_expression"], (table["expression"] + 1) % 8)
    shares = np.eye(len(EXPRESSIONS))[wrong]
    return table.assign(
        predicted_expression=wrong,
        predicted_valence=table["predicted_valence"] * 0.6,
        **dict(zip(PROBABILITIES, shares.T, strict=True)),
    )


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """What the stage leaves, without its network."""
    table = draw_predictions(200, 1, skill=3)
    tables = {"keras": table, "onnx-float32": table, "litert-int8": spoil(table), "savedmodel-float32": table}
    results = {
        "mirror": False,
        "network": "resnet50",
        "models": {"resnet50": {"md5": "11aa"}},
        "split": "val",
        "images": 200,
        "files": {name: {"size_mb": 100.3, "difference": 0.0} for name in tables},
        **evaluate(tables, resamples=200, seed=1, calibration_bins=10),
    }
    results["files"]["litert-int8"] = {"size_mb": 25.6, "difference": 0.151234}
    folder = tmp_path / "export" / "resnet50"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "timing.json").write_text(json.dumps(dict.fromkeys(tables, TIMES) | {"savedmodel-float32": None}))
    exported = read_export(folder)
    (folder / "report.html").write_text(render_export_html(exported, 200))
    return exported


def test_every_number_is_the_one_in_the_json(exported: Exported) -> None:
    changes = {
        export: {f"{task} {metric}": exported.change(export, task, metric) for task, metric in exported.metrics()}
        for export in exported.exports
    }
    facts = {"export": {"resnet50": exported.results}, "timing": exported.timing, "changes": changes}
    figures = Page(render_export_html(exported, 200)).figures
    for path, text in figures:
        value: object = facts
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list | tuple) else value[part]  # type: ignore[index]
        plain = text.replace(",", "").replace("−", "-")
        assert float(plain) == round(float(value), len(plain.partition(".")[2])), path  # type: ignore[arg-type]
    shown = {path for path, _ in figures}
    for name in ("files.litert-int8.size_mb", "litert-int8.valence.ccc", "keras.intervals.emotion.accuracy.0"):
        assert f"export.resnet50.{name}" in shown
    assert {"timing.litert-int8.milliseconds", "changes.litert-int8.arousal ccc.0"} <= shown


def test_what_an_export_loses_is_told(exported: Exported) -> None:
    assert exported.verdict("onnx-float32") == "same"
    assert exported.verdict("litert-int8") == "worse: accuracy, F1, valence CCC"
    accuracies = [exported.results[name]["emotion"]["accuracy"] for name in ("keras", "litert-int8")]
    change = exported.change("litert-int8", "emotion", "accuracy")
    assert change is not None
    assert change[0] == pytest.approx(accuracies[1] - accuracies[0])
    assert change[1][0] < change[0] < change[1][1] < 0
    assert list(exported.losses()) == ["litert-int8"]
    assert exported.losses()["litert-int8"].startswith(f"{accuracies[0] - accuracies[1]:.3f} of emotion accuracy, ")
    page = render_export_html(exported, 200)
    assert f'<p class="notice">litert-int8 loses {exported.losses()["litert-int8"]}.</p>' in page
    rows = [line for line in render_export_markdown(exported, 200).splitlines() if line.startswith("|")]
    assert [row.split(" ")[1] for row in rows[2:]] == exported.files
    row = next(row for row in rows if row.startswith("| litert-int8"))
    assert "\n".join(rows) in render_export_markdown(exported, 200)
    assert row.endswith("| worse: accuracy, F1, valence CCC |")
    assert f"| {accuracies[1]:.3f} ({change[0]:.3f} [" in row


def test_the_report_joins_it_for_the_very_model_alone(exported: Exported, tmp_path: Path) -> None:
    ((page,), left_out) = read_pages(tmp_path, {"resnet50": "11aa"})
    assert (page.title, page.is_external, left_out) == ("resnet50, exported", False, [])
    assert read_pages(tmp_path, {"resnet50": "22bb"})[0] == []
    (line,) = read_pages(tmp_path, {"resnet50": "11aa"}, mirror=True)[1]
    assert line.endswith("report.html is left out: evaluate.mirror is another in it")


def test_what_is_not_there_is_named(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "export" / "resnet50" / "timing.json").unlink()
    with pytest.raises(InputError, match=r"timing\.json: No such file or directory; docs/export\.md says how"):
        read_export(tmp_path / "export" / "resnet50")
