"""pipelines/explain: what it leaves of a network, the page of it, and how experiments are compared by it."""

import json
from pathlib import Path

import pandas as pd
import pytest
from conftest import Workspace, commit_all, refuse, run, snapshot
from explained import NAME, SIZE, draw, train_network
from page_parser import Page
from ruamel.yaml import YAML

import explain_evaluate
from affect.models.saved_model import save_model
from affect.plumbing import paths
from affect.plumbing.stage import run_stage
from affect.report.pages.explain import read_explained, render_explain_html, render_explain_markdown
from affect.report.pages.joined import PICTURES, read_pages

IMAGES = 48
METRICS, LOCAL = paths.EXPLAIN_METRICS / NAME, paths.EXPLAIN / NAME


def study() -> None:
    """Run the stage here."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sys.argv", ["explain_evaluate.py", NAME])
        run_stage(explain_evaluate.main)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository's folder in which a small network of the sample's faces was studied."""
    folder = tmp_path_factory.mktemp("pipeline")
    workspace = Workspace.create(folder)
    sizes = {"sample.images": 256, "sample.size": 64, "data.raw": "data/sample", "data.image_size": SIZE}
    workspace.set_params(**sizes, **{"data.val_fraction": 0.25, "evaluate.bootstrap": 200})
    for script in ("sample", "prepare"):
        done = workspace.run_script(script, processes=2)
        assert done.returncode == 0, done.stderr
    (folder / "models").mkdir()
    save_model(train_network(draw(240), epochs=8), folder / paths.model_file(NAME))
    write_params(folder, networks=[NAME], images=IMAGES, steps=5, seed=1)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        study()
    return folder


def write_params(folder: Path, **values: object) -> None:
    file = folder / paths.EXPLAIN_PARAMS
    file.parent.mkdir(parents=True, exist_ok=True)
    YAML(typ="safe", pure=True).dump(values, file)


def read_results(folder: Path) -> dict:
    return json.loads((folder / METRICS / "results.json").read_text())


def test_what_is_left_hangs_together(folder: Path) -> None:
    results = read_results(folder)
    assert (results["images"], results["of_images"], results["split"]) == (IMAGES, 64, "val")
    assert results["map"] == [SIZE // 4] * 2
    assert set(results["faithfulness"]) == {"random", "centre", "hirescam", "gradcam"}
    assert results["faces"]["landmarks"] == {"dataset": IMAGES, "detector": 0, "none": 0}
    assert sum(results["faces"]["explained"].values()) == IMAGES
    assert sum(results["regions"]["area"].values()) == pytest.approx(1, abs=1e-5)
    faces = pd.read_csv(folder / METRICS / "faces.csv")
    assert len(faces) == IMAGES
    for task, method in results["shown"].items():
        faults = [name for name, found in results["faults"].items() if not found[task]]
        assert method == next(iter(faults), None)
        assert (f"{task}_marked" in faces) == (method is not None)
        if method:
            mean = results["faithfulness"][method][task]["marked"]
            assert faces[f"{task}_marked"].mean() == pytest.approx(mean, abs=1e-5)
    curves = pd.read_csv(folder / METRICS / "curves.csv")
    # All pixels are grey at the end of each deletion, and seen at the end of each insertion.
    for _, curve in curves.groupby("task"):
        whole, grey, seen = (
            curve[(curve["kind"] == kind) & (curve["share"] == share)]["score"]
            for kind, share in (("deletion", 0), ("deletion", 1), ("insertion", 1))
        )
        assert grey.nunique() == 1
        assert whole.tolist() == pytest.approx(seen.tolist(), abs=1e-5)
    assert len(pd.read_csv(folder / METRICS / "features.csv")) == 64
    assert results["pictures"] == {file.name: paths.file_md5(file) for file in sorted((folder / LOCAL).iterdir())}


def test_the_truth_of_drawn_faces_is_told(folder: Path) -> None:
    """A trained network's map lies where the expression is, more than chance has it."""
    results = read_results(folder)
    changed, faces = results["changed"], pd.read_csv(folder / METRICS / "faces.csv")
    right = faces["expression"] == faces["explained"]
    # Not of those that are taken for another expression; of neutral ones few are moved by anything.
    assert 0 < (right & (faces["expression"] > 0)).sum() <= results["faces"]["changed"] <= right.sum() < IMAGES
    assert changed["random"]["share"] == pytest.approx(changed["area"], abs=0.03)
    assert changed["hirescam"]["gain"] == pytest.approx(changed["hirescam"]["share"] - changed["area"], abs=1e-5)
    assert changed["hirescam"]["share"] > changed["random"]["share"]


def test_a_second_run_has_the_same_bytes(folder: Path) -> None:
    before = snapshot(folder / METRICS) | snapshot(folder / LOCAL)
    study()
    assert snapshot(folder / METRICS) | snapshot(folder / LOCAL) == before


def look_up(results: dict, path: str) -> float:
    found: object = {"explain": {NAME: results}}
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
    assert isinstance(found, int | float)
    return found


def test_every_number_of_the_page_is_the_one_in_the_json(folder: Path) -> None:
    results = read_results(folder)
    page = Page((folder / METRICS / "report.html").read_text())
    for path, text in page.figures:
        plain = text.replace(",", "").replace("−", "-")
        assert float(plain) == round(look_up(results, path), len(plain.partition(".")[2])), path
    shown = {path for path, _ in page.figures}
    for method in results["faithfulness"]:
        assert f"explain.{NAME}.faithfulness.{method}.emotion.deletion" in shown
    assert f"explain.{NAME}.changed.hirescam.share" in shown
    assert all(image.startswith("data:image/") for image in page.images)
    summary = (folder / METRICS / "report.md").read_text()
    assert f"# What {NAME} looks at" in summary
    tables = [block.splitlines() for block in summary.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for table in tables:
        assert len({row.count("|") for row in table}) == 1


def test_a_method_no_better_than_chance_is_said_so_and_its_maps_are_not_shown(folder: Path) -> None:
    file = folder / METRICS / "results.json"
    results = read_results(folder)
    for found in results["faults"].values():
        found["valence"] = ["deletion no better than chance"]
    results["shown"]["valence"] = None
    results["regions"].pop("valence", None)
    file.write_text(json.dumps(results))
    page = render_explain_html(explained := read_explained(folder / METRICS, folder / LOCAL), 200)
    assert "No map of valence is shown: none passes its test." in page
    assert explained.verdict("hirescam", "valence") == "not shown: deletion no better than chance"
    assert "not shown: deletion no better than chance" in render_explain_markdown(explained, 200)


def test_where_the_middle_does_better_than_a_map_its_verdict_says_so(folder: Path) -> None:
    file = folder / METRICS / "results.json"
    results = read_results(folder)
    for found in results["faults"].values():
        found["arousal"] = []
    results["shown"]["arousal"] = "hirescam"
    gains = {"deletion": [-0.2, -0.1], "insertion": [-0.1, 0.1], "marked": [-0.2, -0.1]}
    for method in ("hirescam", "gradcam"):
        results["intervals"]["gain"]["centre"][method]["arousal"] = gains
    file.write_text(json.dumps(results))
    explained = read_explained(folder / METRICS, folder / LOCAL)
    assert explained.verdict("hirescam", "arousal") == "shown, the middle is better by deletion"
    assert explained.verdict("gradcam", "arousal") == "passes too, the middle is better by deletion"


def test_the_local_report_alone_has_the_faces_of_this_very_study(folder: Path) -> None:
    models = {NAME: paths.file_md5(folder / paths.model_file(NAME))}
    (page,), left_out = read_pages(paths.METRICS, models)
    assert not left_out
    assert set(page.pictures.values()) == {LOCAL / name for name in PICTURES if (LOCAL / name).exists()}
    assert page.pictures
    (LOCAL / "faces.png").write_bytes(b"another study's")
    ((page,), _) = read_pages(paths.METRICS, models)
    assert LOCAL / "faces.png" not in page.pictures.values()
    pages, (line,) = read_pages(paths.METRICS, {NAME: "another"})
    assert not pages
    assert "is left out: it is of another" in line


def test_a_network_that_nobody_asked_for_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["explain_evaluate.py", "resnet50"])
    said = refuse(Workspace(folder), monkeypatch, explain_evaluate.main)
    assert f"networks has no 'resnet50', but {NAME} (docs/explain.md)" in said


def test_a_dataset_without_landmarks_has_the_detector_s_and_no_truth(folder: Path) -> None:
    for file in (folder / "data" / "sample" / "annotations").glob("*_lnd.npy"):
        file.unlink()
    write_params(folder, networks=[NAME], images=16, steps=5, seed=1)
    study()
    results = read_results(folder)
    assert results["faces"]["landmarks"]["dataset"] == 0
    assert results["faces"]["landmarks"]["detector"] > 8
    assert "changed" not in results


def test_experiments_are_compared_by_dvc(folder: Path) -> None:
    run(folder, "git", "init", "-q")
    run(folder, "dvc", "init", "-q")
    commit_all(folder)
    file = folder / METRICS / "results.json"
    results = read_results(folder)
    results["faithfulness"]["hirescam"]["emotion"]["marked"] = 0.125
    file.write_text(json.dumps(results))
    said = run(folder, "dvc", "metrics", "diff", "--targets", str(METRICS / "results.json")).stdout
    (line,) = [line for line in said.splitlines() if "faithfulness.hirescam.emotion.marked" in line]
    assert "0.125" in line
