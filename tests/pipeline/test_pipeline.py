"""The whole experiment under real DVC, on a tiny sample, as its user runs it."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest
from conftest import AUTHOR, TINY, Workspace, commit_all, copy_repository, draw_picture, dvc_environment, refuse, run
from PIL import Image, ImageOps
from ruamel.yaml import YAML
from scipy import stats
from sklearn.metrics import (
    average_precision_score,
    cohen_kappa_score,
    f1_score,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from studio import studio

import evaluate
import external_evaluate
import report
from affect.core.predictions import PREDICTED
from affect.core.records import read_records
from affect.models.predictors import open_predictor, predict_records
from affect.plumbing.errors import InputError

BACKBONE = "efficientnetb1"
CLASSES = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("experiment")
    copy_repository(folder)
    workspace = Workspace.create(folder)
    workspace.set_params(**TINY)
    (folder / "models" / "resnet50.keras").write_text("left over from another experiment")
    commit_all(folder)
    printed = run(folder, "dvc", "repro")
    (folder / "repro.log").write_text(printed.stdout + printed.stderr)
    return workspace


@pytest.fixture(scope="module")
def predictions(experiment: Workspace) -> pd.DataFrame:
    return pd.read_csv(experiment.folder / "metrics" / "predictions" / f"{BACKBONE}.csv", dtype={"id": str})


def test_a_second_run_reruns_nothing(experiment: Workspace) -> None:
    assert "Running stage" not in run(experiment.folder, "dvc", "repro").stdout


def test_bytecode_is_no_change_of_the_code(experiment: Workspace) -> None:
    run(experiment.folder, sys.executable, "-m", "compileall", "-q", "src")
    assert list((experiment.folder / "src" / "affect" / "core").rglob("*.pyc"))
    assert "modified" not in run(experiment.folder, "dvc", "status").stdout


def test_the_readmes_picture_is_of_drawn_faces_alone(experiment: Workspace) -> None:
    picture = experiment.folder / "docs" / "faces.png"
    made = []
    for _ in range(2):
        result = experiment.run_script("picture")
        assert result.returncode == 0, result.stderr
        made.append(picture.read_bytes())
    assert made[0] == made[1]
    assert Image.open(picture).size == (1200, 460)
    experiment.set_params(**{"data.raw": "data/faces"})
    result = experiment.run_script("picture")
    experiment.set_params(**{"data.raw": "data/sample"})
    assert result.returncode == 1
    assert "docs/faces.png is in git and must show nobody's photograph" in result.stderr
    picture.unlink()


def test_only_the_backbones_of_params_are_evaluated(experiment: Workspace) -> None:
    metrics = experiment.read_metrics("evaluate")
    assert set(metrics) == {"split", "images", BACKBONE, "calibration", "comparison", "mcnemar", "cost", "baselines"}
    assert (metrics["split"], metrics["images"]) == ("val", 16)


def test_the_sample_is_evaluated_by_what_it_drew(experiment: Workspace) -> None:
    metrics = experiment.read_metrics("evaluate")
    drawn = pd.read_csv(experiment.folder / "data" / "sample" / "attributes.csv", keep_default_na=False)
    sizes: dict[str, int] = {}
    for group in metrics[BACKBONE]["groups"]:
        sizes[group["attribute"]] = sizes.get(group["attribute"], 0) + group["images"]
    assert sizes == dict.fromkeys(drawn.columns.drop("id"), metrics["images"])
    assert "## By group" in (experiment.folder / "metrics" / "report.md").read_text()


def test_the_constant_baseline_answers_what_is_commonest_in_training(experiment: Workspace) -> None:
    counts = experiment.read_metrics("prepare")["splits"]["train"]
    del counts["images"]
    answer = experiment.read_metrics("evaluate")["baselines"][1]["answer"]
    assert answer["expression"] == max(counts, key=counts.get)


def test_every_metric_can_be_recomputed_from_the_predictions(experiment: Workspace, predictions: pd.DataFrame) -> None:
    metrics = experiment.read_metrics("evaluate")[BACKBONE]
    truth, predicted = predictions["expression"], predictions["predicted_expression"]
    probabilities = predictions[[f"p_{name}" for name in CLASSES]].to_numpy()
    one_hot = np.eye(8)[truth]
    ratings = np.stack([truth, predicted]).astype(float)
    expected = {
        "accuracy": (truth == predicted).sum() / len(truth),
        "f1": f1_score(truth, predicted, average="macro"),
        "cohen_kappa": cohen_kappa_score(truth, predicted),
        "krippendorff_alpha": krippendorff.alpha(ratings, level_of_measurement="nominal"),
        "auc_roc": roc_auc_score(one_hot, probabilities, average="macro"),
        "auc_pr": average_precision_score(one_hot, probabilities, average="macro"),
    }
    assert metrics["emotion"] == pytest.approx(expected, abs=1e-9)
    assert (probabilities.argmax(axis=1) == predicted).all()
    for task in ("valence", "arousal"):
        assert metrics[task] == pytest.approx(
            affect_metrics(predictions[task], predictions[f"predicted_{task}"]), abs=1e-9
        )


def affect_metrics(truth: pd.Series, predicted: pd.Series) -> dict[str, float]:
    covariance = np.cov(truth, predicted, ddof=0)
    expected = {
        "rmse": root_mean_squared_error(truth, predicted),
        "sagr": ((truth > 0) == (predicted > 0)).mean(),
        "ccc": 2 * covariance[0, 1] / (np.trace(covariance) + (truth.mean() - predicted.mean()) ** 2),
        "mae": mean_absolute_error(truth, predicted),
        "r2": r2_score(truth, predicted),
    }
    return expected | ({"corr": stats.pearsonr(truth, predicted).statistic} if predicted.nunique() > 1 else {})


def test_predict_preprocesses_as_training_did(experiment: Workspace, predictions: pd.DataFrame, tmp_path: Path) -> None:
    """The same pictures through predict.py give the figures of the evaluation; unreadable ones are skipped."""
    faces = tmp_path / "faces"
    faces.mkdir()
    for id in predictions["id"]:
        shutil.copy(experiment.folder / "data" / "sample" / "images" / f"{id}.jpg", faces)
    (faces / "broken.jpg").write_text("not an image")
    output = tmp_path / "out.csv"
    model = f"models/{BACKBONE}.keras"
    result = experiment.run_script("predict", model, str(faces), "-o", str(output), "--cropped", "--batch-size", "5")
    assert result.returncode == 1
    assert "1 of 17 pictures and videos could not be read whole" in result.stderr
    assert "broken.jpg" in result.stderr
    predicted = pd.read_csv(output, dtype={"id": str}).set_index("id")
    expected = predictions.set_index("id").loc[predicted.index][PREDICTED]
    expected["predicted_expression"] = [CLASSES[number] for number in expected["predicted_expression"]]
    assert set(predicted.index) == set(predictions["id"])
    pd.testing.assert_frame_equal(predicted[PREDICTED], expected, atol=1e-5, rtol=0)


def test_predict_refuses_what_is_not_there_and_not_a_model(experiment: Workspace, tmp_path: Path) -> None:
    images = str(experiment.folder / "data" / "sample" / "images" / "0.jpg")
    for arguments, message in (
        ((f"models/{BACKBONE}.keras", "nowhere", "-o", "out.csv"), "nowhere: no such file or folder"),
        (("models/resnet50.keras", images, "-o", "out.csv"), "models/resnet50.keras: not a model of this repository"),
    ):
        result = experiment.run_script("predict", *arguments)
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_a_run_prints_no_noise_and_a_short_line_an_epoch(experiment: Workspace) -> None:
    lines = (experiment.folder / "repro.log").read_text().splitlines()
    # A machine with a GPU would tell of it.
    if not list(Path("/dev").glob("nvidia[0-9]*")):
        assert [line for line in lines if re.match(r"[EWI]\d", line)] == []
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 2
    for line in epochs:
        assert re.fullmatch(r"epoch \d/2 train\|val: loss \S+ accuracy \S+ CCC valence \S+ arousal \S+", line)
        assert len(line) <= 120


def test_the_curves_hold_every_loss_and_metric(experiment: Workspace) -> None:
    curves = experiment.folder / "metrics" / "train" / BACKBONE / "plots" / "metrics"
    losses = ["loss", "emotion_loss", "valence_loss", "arousal_loss"]
    shown = [*losses, "emotion_accuracy", "valence_rmse", "valence_ccc", "arousal_rmse", "arousal_ccc"]
    for side in ("train", "val"):
        for name in shown:
            assert len(pd.read_csv(curves / side / f"{name}.tsv", sep="\t")) == 2
    assert (curves / "train" / "learning_rate.tsv").exists()


def test_a_training_records_its_precision_and_its_best_epoch_counted_from_one(experiment: Workspace) -> None:
    losses = pd.read_csv(
        experiment.folder / "metrics" / "train" / BACKBONE / "plots" / "metrics" / "val" / "loss.tsv", sep="\t"
    )
    best = int(losses["loss"].to_numpy().argmin()) + 1
    recorded = experiment.read_metrics(f"train/{BACKBONE}/metrics")
    assert recorded == {"precision": "float32", "best_epoch": best, "epochs": 2}


def test_features_and_checkpoints_are_removed(experiment: Workspace) -> None:
    assert {file.suffix for file in (experiment.folder / "data" / "cache").iterdir()} == {".lock"}


def test_metrics_and_plots_are_shown_by_dvc(experiment: Workspace) -> None:
    shown = json.loads(run(experiment.folder, "dvc", "metrics", "show", "--json").stdout)
    files = shown[""]["data"]
    assert files["metrics/evaluate.json"]["data"]["cost"][BACKBONE]["parameters"] == 7_496_081
    page = experiment.folder / "page"
    run(experiment.folder, "dvc", "plots", "show", "-o", str(page))
    html = (page / "index.html").read_text()
    for title in (
        *(f"{BACKBONE}: training curves", "Confusion matrix", "ROC, each expression", "Precision and recall"),
        *("Predicted against true valence", "Circumplex", "Reliability", f"worst_errors/{BACKBONE}.png"),
    ):
        assert title in html


def test_timings_are_of_one_model_and_locked_nowhere(experiment: Workspace) -> None:
    md5 = hashlib.md5((experiment.folder / "models" / f"{BACKBONE}.keras").read_bytes()).hexdigest()
    timing = experiment.read_metrics(f"timing/{md5}")
    assert timing["seconds"] > 0
    assert 100 < timing["peak_memory_mb"] < 20_000
    assert "timing" not in (experiment.folder / "dvc.lock").read_text()


def test_the_report_is_of_this_run(experiment: Workspace) -> None:
    metrics = experiment.folder / "metrics"
    lock = YAML(typ="safe").load(experiment.folder / "dvc.lock")
    (raw,) = [dep for dep in lock["stages"]["prepare"]["deps"] if dep["path"] == "data/sample"]
    page = (metrics / "report.html").read_text()
    accuracy = experiment.read_metrics("evaluate")[BACKBONE]["emotion"]["accuracy"]
    for shown in (raw["md5"], f">{accuracy:.3f}<", "train.learning_rate"):
        assert shown in page, shown
    assert f"{accuracy:.3f}" in (metrics / "report.md").read_text()
    result = experiment.run_script("report")
    assert result.returncode == 0, result.stderr
    assert "peak memory of training" in (metrics / "full_report.html").read_text()
    assert "data:image/png" in (metrics / "full_report.html").read_text()


@pytest.mark.parametrize(
    ("parameter", "value", "stages"),
    [
        ("data.seed", 1, {"prepare"}),
        # Training alters images by these parameters too, where augment.online says so.
        ("augment.copies", 0, {"augment", f"train@{BACKBONE}"}),
        ("train.learning_rate", 0.0005, {f"train@{BACKBONE}"}),
        ("evaluate.bootstrap", 500, set()),
    ],
)
def test_a_parameter_changes_the_stages_it_belongs_to(
    experiment: Workspace, parameter: str, value: float, stages: set[str]
) -> None:
    before = experiment.params.read_bytes()
    experiment.set_params(**{parameter: value})
    try:
        changed = json.loads(run(experiment.folder, "dvc", "status", "--json").stdout)
    finally:
        experiment.params.write_bytes(before)
    # The report shows every parameter.
    assert set(changed) == {*stages, "evaluate"}


# From here on the results are committed.


@pytest.fixture(scope="module")
def committed(experiment: Workspace) -> Workspace:
    run(experiment.folder, "git", "add", "--all")
    run(experiment.folder, "git", *AUTHOR, "commit", "-q", "-m", "results")
    return experiment


def test_a_clone_shows_the_metrics_of_any_revision_and_repository(committed: Workspace, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "-q", str(committed.folder), str(clone))
    run(clone, "git", *AUTHOR, "commit", "-q", "--allow-empty", "-m", "nothing new")
    expected = committed.read_metrics("evaluate")[BACKBONE]["emotion"]["accuracy"]
    for arguments in ("", "rev='HEAD~1'", f"repo={str(committed.folder)!r}"):
        show = f"import dvc.api, json; print(json.dumps(dvc.api.metrics_show({arguments})))"
        shown = json.loads(run(clone, sys.executable, "-c", show).stdout)
        assert shown[BACKBONE]["emotion"]["accuracy"] == expected


@pytest.fixture(scope="module")
def clones(committed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Fresh clones beside a filled remote: as the repository is, and without the pipelines but the experiment's own."""
    folder = tmp_path_factory.mktemp("clones")
    use_remote(committed.folder, folder / "store")
    run(committed.folder, "dvc", "push", "-q")
    (committed.folder / ".dvc" / "config.local").unlink()
    found = {"with": folder / "with", "without": folder / "without"}
    for clone in found.values():
        run(folder, "git", "clone", "-q", str(committed.folder), str(clone))
        use_remote(clone, folder / "store")
        # It is no output of a stage, but evaluate has read the folder with it.
        shutil.copy(committed.folder / "models" / "resnet50.keras", clone / "models")
    further = [file for file in found["without"].glob("**/dvc.yaml") if file.parent.name not in ("without", "data")]
    assert found["without"] / "pipelines" / "external" / "dvc.yaml" in further
    for file in further:
        file.unlink()
    return found


def use_remote(folder: Path, store: Path) -> None:
    run(folder, "dvc", "remote", "add", "-q", "--local", "-d", "store", str(store))


SHOW_METRICS = "import dvc.api, json; print(json.dumps(dvc.api.metrics_show()))"
SILENT = {
    "status": ("dvc", "status"),
    "metrics": (sys.executable, "-c", SHOW_METRICS),
    "metrics diff": ("dvc", "metrics", "diff"),
    "pull": ("dvc", "pull"),
}


def test_in_a_fresh_clone_no_further_pipeline_says_a_word(clones: dict[str, Path]) -> None:
    def listen(clone: Path) -> dict[str, str]:
        printed = {name: run(clone, *command) for name, command in SILENT.items()}
        return {name: one.stdout + one.stderr for name, one in printed.items()}

    with ThreadPoolExecutor() as pool:
        said = dict(zip(clones, pool.map(listen, clones.values()), strict=True))
    assert said["with"] == said["without"]
    assert said["with"]["metrics diff"] == ""
    assert "up to date" in run(clones["with"], "dvc", "status").stdout


# The clone from here on has what was pulled.


def write_web(experiment: Path, folder: Path) -> None:
    """Write pictures of three classes in folders, among them copies of a training and of a validation image."""
    for number, name in enumerate(("happy", "anger", "neutral")):
        (folder / name).mkdir(parents=True)
        for picture in range(8):
            Image.fromarray(draw_picture(f"{number}-{picture}")).save(folder / name / f"{name}{picture}.png")
    split = pd.read_csv(experiment / "metrics" / "split.csv", dtype=str).drop_duplicates("split")
    for id, part in zip(split["id"], split["split"], strict=True):
        original = Image.open(experiment / "data" / "sample" / "images" / f"{id}.jpg")
        ImageOps.mirror(original).save(folder / "happy" / f"copy_of_{part}.jpg", quality=80)


@pytest.fixture(scope="module")
def tested(clones: dict[str, Path]) -> Workspace:
    clone = clones["with"]
    write_web(clone, clone / "data" / "web")
    run(clone, "dvc", "add", "-q", "data/web")
    run(clone, "git", "add", "--all")
    run(clone, "git", *AUTHOR, "commit", "-q", "-m", "track data/web")
    entry = "pipelines/external/params.yaml:+datasets.web={raw: data/web, layout: folders}"
    # The command of docs/external.md.
    run(clone, "dvc", "exp", "run", "-S", entry, "pipelines/external/dvc.yaml")
    return Workspace(clone)


def test_models_are_tested_on_another_dataset_by_one_command(tested: Workspace) -> None:
    results = tested.read_metrics("external/web/results")
    assert results["dataset"]["dataset"] == "data/web"
    assert results["classes"] == ["neutral", "happy", "anger"]
    assert results["copies"] == {"train": 1, "val": 1}
    copies = pd.read_csv(tested.folder / "metrics" / "external" / "web" / "copies.csv", dtype=str)
    assert sorted(copies["id"]) == ["copy_of_train", "copy_of_val"]
    model = tested.folder / "models" / f"{BACKBONE}.keras"
    assert results["models"][BACKBONE]["md5"] == hashlib.md5(model.read_bytes()).hexdigest()
    trained_on = results["models"][BACKBONE]["card"]["trained_on"]
    assert (trained_on["dataset"], trained_on["images"]) == ("data/sample", 64)
    table = pd.read_csv(tested.folder / "metrics" / "external" / "web" / "predictions" / f"{BACKBONE}.csv")
    assert len(table) == 26
    accuracy = (table["expression"] == table["predicted_expression"]).mean()
    assert results["free"][BACKBONE]["emotion"]["accuracy"] == pytest.approx(accuracy)
    limited = table[["p_neutral", "p_happy", "p_anger"]].to_numpy().argmax(axis=1)
    expected = (np.array([0, 1, 6])[limited] == table["expression"]).mean()
    assert results["limited"][BACKBONE]["emotion"]["accuracy"] == pytest.approx(expected)
    changed = run(tested.folder, "git", "status", "--porcelain").stdout.split()[1::2]
    assert set(changed) == {"pipelines/external/params.yaml", "metrics/external/", "pipelines/external/dvc.lock"}
    assert "up to date" in run(tested.folder, "dvc", "status").stdout


def test_the_report_joins_the_page_until_the_models_are_others(
    tested: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tested.folder)
    page = tested.folder / "metrics" / "full_report.html"
    report.main()
    assert capsys.readouterr().err == ""
    assert "Trained on data/sample, tested on data/web</h1>" in page.read_text()
    assert f"external.web.limited.{BACKBONE}.emotion.accuracy" in page.read_text()
    model = tested.folder / "models" / f"{BACKBONE}.keras"
    aside = model.rename(model.with_suffix(".aside"))
    model.write_bytes(aside.read_bytes() + b"trained again")
    try:
        report.main()
    finally:
        aside.replace(model)
    assert "metrics/external/web/report.html is left out: it is of another efficientnetb1" in capsys.readouterr().err
    assert "data/web" not in page.read_text()


@pytest.fixture(scope="module")
def exported(tested: Workspace) -> Workspace:
    asked = ("networks=[efficientnetb1]", "exports=[onnx-float16,litert-float32]")
    overrides = [part for each in asked for part in ("-S", f"pipelines/export/params.yaml:{each}")]
    # The command of docs/export.md; files are judged as the networks are, with the mirror here.
    overrides += ["-S", "evaluate.mirror=true"]
    run(tested.folder, "dvc", "exp", "run", *overrides, "pipelines/export/dvc.yaml")
    return tested


def test_a_network_is_exported_and_judged_by_one_command(exported: Workspace) -> None:
    results, timing = (exported.read_metrics(f"export/{BACKBONE}/{name}") for name in ("results", "timing"))
    evaluated = exported.read_metrics("evaluate")
    assert (results["split"], results["images"]) == (evaluated["split"], evaluated["images"])
    assert results["keras"]["emotion"] == evaluated[BACKBONE]["emotion"]
    assert list(results["files"]) == list(timing) == ["keras", "onnx-float16", "litert-float32"]
    assert results["files"]["litert-float32"]["difference"] <= 1e-5
    assert results["files"]["onnx-float16"]["size_mb"] < 0.6 * results["files"]["litert-float32"]["size_mb"]
    assert all(value > 0 for times in timing.values() for value in times.values())
    file = exported.folder / "data" / "export" / BACKBONE / "onnx-float16" / f"{BACKBONE}.onnx"
    table = pd.read_csv(
        exported.folder / "metrics" / "export" / BACKBONE / "predictions" / "onnx-float16.csv", dtype={"id": str}
    )
    held_out = read_records(exported.folder / "data" / "prepared").held_out
    pd.testing.assert_frame_equal(predict_records(open_predictor(file), held_out, 16, mirror=True), table)
    card = file.with_name(f"{BACKBONE}.onnx.md").read_text()
    assert f"| expression accuracy | {evaluated[BACKBONE]['emotion']['accuracy']:.3f}" in card
    assert "mean of those for an image and for its mirror image, which is two passes of the file" in card
    assert results["mirror"]
    assert "up to date" in run(exported.folder, "dvc", "status", "pipelines/export/dvc.yaml").stdout


def test_the_report_joins_the_page_of_exports(
    exported: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves out the one of another dataset, on which the networks were tested without the mirror."""
    monkeypatch.chdir(exported.folder)
    report.main()
    page = (exported.folder / "metrics" / "full_report.html").read_text()
    assert page.index('<h2 id="exported">Exported files</h2>') < page.index(f"{BACKBONE}, exported</h1>")
    assert "tested on data/web" not in page
    assert "metrics/external/web/report.html is left out: evaluate.mirror is another in it" in capsys.readouterr().err


def test_what_is_not_asked_for_is_not_exported(exported: Workspace) -> None:
    done = exported.run_script("export_export", "resnet50", "onnx-int8")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "export_export: pipelines/export/params.yaml: networks has no 'resnet50', but efficientnetb1 (docs/export.md)"
    )


def test_a_model_of_another_image_size_is_refused(tested: Workspace) -> None:
    records = read_records(tested.folder / "data" / "external" / "web")
    predictor = open_predictor(tested.folder / "models" / f"{BACKBONE}.keras")
    external_evaluate.require_size(predictor, records, "web")
    predictor.image_size = 64
    with pytest.raises(
        InputError, match=f"{BACKBONE} takes images of 64 pixels, but data/external/web holds 32, which"
    ):
        external_evaluate.require_size(predictor, records, "web")


def test_models_of_other_records_are_refused(tested: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same faces on other sides of the split are other records, and no page claims anything of them."""
    tested.set_params(**{"data.seed": 1})
    pages = [tested.folder / "metrics" / name for name in ("report.html", "external/web/report.html")]
    before = [page.read_bytes() for page in pages]
    for script in ("prepare", "augment"):
        shutil.rmtree(tested.folder / "data" / ("prepared" if script == "prepare" else "augmented"))
        assert tested.run_script(script).returncode == 0
    for stage, arguments in ((evaluate, []), (external_evaluate, ["web"])):
        monkeypatch.setattr("sys.argv", [f"{stage.__name__}.py", *arguments])
        line = refuse(tested, monkeypatch, stage.main)
        assert f"models/{BACKBONE}.keras was trained on 64 images of data/sample" in line
        assert "hold data/sample" in line
        assert "`dvc repro` trains it on these" in line
    assert [page.read_bytes() for page in pages] == before


def test_a_forced_run_leaves_nothing_to_commit(committed: Workspace) -> None:
    """Neither the clock, the locale, the time zone, Python's hashes nor the number of processes changes a byte."""
    changed = {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "LOKY_MAX_CPU_COUNT": "3"}
    run(committed.folder, "dvc", "repro", "--force", **changed)
    assert run(committed.folder, "git", "status", "--porcelain").stdout == ""


def test_one_command_brings_back_what_a_failed_stage_has_lost(committed: Workspace) -> None:
    model = committed.folder / "models" / f"{BACKBONE}.keras"
    before = model.read_bytes()
    params = committed.params.read_bytes()
    committed.set_params(**{"train.learning_rate": 1e30})
    result = subprocess.run(
        ["dvc", "repro"], cwd=committed.folder, env=dvc_environment(committed.folder), capture_output=True, check=False
    )
    committed.params.write_bytes(params)
    assert result.returncode != 0
    assert not model.exists()
    run(committed.folder, "sh", "-c", "git restore metrics && dvc checkout")
    assert model.read_bytes() == before
    assert run(committed.folder, "git", "status", "--porcelain").stdout == ""
    assert "up to date" in run(committed.folder, "dvc", "status").stdout


def test_experiments_at_once_do_not_touch_each_other(committed: Workspace) -> None:
    """Two from the queue, one in a temporary folder and one in the workspace have the models that each has alone."""
    stage = f"train@{BACKBONE}"
    run(committed.folder, "dvc", "exp", "run", "--queue", "--name", "queued", "-S", "train.seed=1,2", stage)
    run(committed.folder, "dvc", "queue", "start", "-j", "2")
    temporary = subprocess.Popen(
        ["dvc", "exp", "run", "--temp", "--name", "temporary", "-S", "train.seed=3"],
        cwd=committed.folder,
        env=dvc_environment(committed.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    posts: list[tuple[dict, bool]] = []
    ended = committed.folder / "metrics" / "train" / BACKBONE / "metrics.json"
    with studio(lambda post: posts.append((post, ended.exists()))) as environment:
        here = run(committed.folder, "dvc", "exp", "run", "--name", "here", "-S", "train.seed=4", **environment).stdout
    check_posts(posts)
    output, _ = temporary.communicate()
    assert temporary.returncode == 0, output
    assert "goes on after epoch" not in here + output
    deadline = time.monotonic() + 300
    while run(committed.folder, "dvc", "queue", "status").stdout.count("Success") < 2:
        assert time.monotonic() < deadline
        time.sleep(1)
    model = committed.folder / "models" / f"{BACKBONE}.keras"
    trained = {}
    references = run(committed.folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    for seed, name in enumerate(("queued-1", "queued-2", "temporary", "here"), start=1):
        (reference,) = [reference for reference in references if reference.endswith(f"/{name}")]
        lock = YAML(typ="safe").load(run(committed.folder, "git", "show", f"{reference}:dvc.lock").stdout)
        outputs = {out["path"]: out["md5"] for out in lock["stages"][stage]["outs"]}
        trained[seed] = outputs[f"models/{BACKBONE}.keras"]
    assert hashlib.md5(model.read_bytes()).hexdigest() == trained[4]
    for seed in (1, 3):
        committed.set_params(**{"train.seed": seed})
        assert committed.run_script("train", BACKBONE).returncode == 0
        assert hashlib.md5(model.read_bytes()).hexdigest() == trained[seed]


def check_posts(posts: list[tuple[dict, bool]]) -> None:
    """Studio has had a point of each curve an epoch, under its final path, before the training had ended."""
    curve = f"metrics/train/{BACKBONE}/plots/metrics/val/loss.tsv"
    points = [
        (plots[curve]["data"], ended) for post, ended in posts if (plots := post.get("plots")) and plots[curve]["data"]
    ]
    assert [[point["step"] for point in data] for data, _ in points] == [[0], [1]]
    assert not any(ended for _, ended in points)
    # What DVC posts in the end has all that it declares.
    for post in (post for post, _ in posts if post["client"] == "dvclive"):
        assert all(name.startswith(f"metrics/train/{BACKBONE}/") for name in post.get("plots", {}))
        assert set(post.get("metrics", {})) <= {f"metrics/train/{BACKBONE}/last_epoch.json"}


# From here on there are experiments.


def test_the_table_of_experiments_begins_with_what_one_compares(committed: Workspace) -> None:
    columns = run(committed.folder, "dvc", "exp", "show", "--csv").stdout.splitlines()[0].split(",")
    numbers = [
        name for name in columns if name not in ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")
    ]
    assert numbers[:2] == [f"{BACKBONE}.emotion.accuracy", f"{BACKBONE}.emotion.f1"]
    assert numbers[6] == f"{BACKBONE}.valence.ccc"
    assert numbers[12] == f"{BACKBONE}.arousal.ccc"
    assert not [name for name in columns if name.startswith(("pretrain", "splits")) or "json:" in name]
    run(committed.folder, "dvc", "exp", "show", "--sort-by", "train.learning_rate", "--csv")


def test_the_difference_of_experiments_is_about_the_models_and_fits_a_page(committed: Workspace) -> None:
    printed = run(committed.folder, "dvc", "metrics", "diff", "temporary", "here")
    assert printed.stderr == ""
    header, *rows = printed.stdout.splitlines()
    assert header.split()[:2] == ["Path", "Metric"]
    assert {row.split()[0] for row in rows} == {"metrics/evaluate.json"}
    # Two networks, the header, and two numbers of the run.
    assert 2 * len(rows) + 3 <= 50
