"""Out-of-fold predictions: what they come to, and that no image is missing or counted twice."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions
from sklearn.metrics import average_precision_score, cohen_kappa_score, f1_score, roc_auc_score
from stub_experiments import commit_results, make_repository, write_results

from affect.core.files import write_table
from affect.experiments.reading import Experiment
from affect.experiments.results.pooling import evaluate_pooled, pool_predictions
from affect.plumbing.errors import InputError

FOLDS = 3
PARAMS = {"evaluate.bootstrap": 200, "evaluate.seed": 42, "evaluate.calibration_bins": 10}
WHOLE = {"resnet50": draw_predictions(150, seed=1, skill=3), "efficientnetb1": draw_predictions(150, seed=1, skill=2)}
IDS = WHOLE["resnet50"]["id"]


def write_fold(folder: Path, number: int) -> Path:
    """What the experiment leaves that holds out every third image; the others are its training images."""
    held_out = np.arange(len(IDS)) % FOLDS == number - 1
    results = folder / f"results-{number}"
    write_results(results, {name: table[held_out] for name, table in WHOLE.items()}, int((~held_out).sum()))
    write_table(results / "split.csv", pd.DataFrame({"id": IDS, "split": np.where(held_out, "test", "train")}))
    return results


def commit_folds(folder: Path, change: Callable[[Path], None] | None = None) -> list[Experiment]:
    """Commit an experiment for each fold, with a change in what the second has left."""
    repository = make_repository(folder / "repository")
    experiments = []
    for number in range(1, FOLDS + 1):
        results = write_fold(folder, number)
        if change is not None and number == 2:
            change(results)
        experiments.append(commit_results(repository, f"folds-{number}", results, PARAMS))
    return experiments


@pytest.fixture(scope="module")
def pooled_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Experiment]]:
    folder = tmp_path_factory.mktemp("pooled")
    return folder / "repository", commit_folds(folder)


def expected_emotion(table: pd.DataFrame) -> dict[str, float]:
    truth, predicted = table["expression"].to_numpy(), table["predicted_expression"].to_numpy()
    probabilities = table.filter(regex="^p_").to_numpy()
    is_class = np.eye(8)[truth]
    counts = np.bincount(np.concatenate([truth, predicted]))
    n = counts.sum()
    # Krippendorff's, nominal, of two raters who have both seen every image.
    expected_disagreement = (n**2 - np.sum(counts**2)) / (n * (n - 1))
    return {
        "accuracy": np.mean(truth == predicted),
        "f1": f1_score(truth, predicted, average="macro"),
        "cohen_kappa": cohen_kappa_score(truth, predicted),
        "krippendorff_alpha": 1 - np.mean(truth != predicted) / expected_disagreement,
        "auc_roc": roc_auc_score(is_class, probabilities, average="macro"),
        "auc_pr": average_precision_score(is_class, probabilities, average="macro"),
    }


def expected_va(table: pd.DataFrame, task: str) -> dict[str, float]:
    known = table.dropna(subset=[task])
    truth, predicted = known[task].to_numpy(), known[f"predicted_{task}"].to_numpy()
    covariance = np.mean((truth - truth.mean()) * (predicted - predicted.mean()))
    return {
        "ccc": 2 * covariance / (truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2),
        "rmse": np.sqrt(np.mean((truth - predicted) ** 2)),
        "corr": np.corrcoef(truth, predicted)[0, 1],
        "sagr": np.mean(np.sign(truth) == np.sign(predicted)),
        "mae": np.mean(np.abs(truth - predicted)),
        "r2": 1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2),
    }


def test_pooled_metrics_are_those_of_the_experiments_predictions(
    pooled_folder: tuple[Path, list[Experiment]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, experiments = pooled_folder
    monkeypatch.chdir(folder)
    pooled = evaluate_pooled(experiments)
    assert (pooled.n_images, pooled.n_folds, pooled.networks) == (150, FOLDS, sorted(WHOLE))
    for network, whole in WHOLE.items():
        found = pooled.results[network]
        assert found["emotion"] == pytest.approx(expected_emotion(whole), abs=1e-9)
        for task in ("valence", "arousal"):
            assert found[task] == pytest.approx(expected_va(whole, task), abs=1e-9)
        low, high = found["intervals"]["emotion"]["accuracy"]
        assert low < found["emotion"]["accuracy"] < high
    verdicts = {entry["metric"]: entry["verdict"] for entry in pooled.results["comparison"]}
    # resnet50's predictions were drawn with half as much again of what tells expressions apart.
    assert verdicts["accuracy"] == "resnet50"


def test_the_order_of_the_folds_does_not_matter(
    pooled_folder: tuple[Path, list[Experiment]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, experiments = pooled_folder
    monkeypatch.chdir(folder)
    assert evaluate_pooled(experiments[::-1]).results == evaluate_pooled(experiments).results


def rewrite(file: str, alter: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    """A change of a table of an experiment's results."""

    def change(results: Path) -> None:
        table = pd.read_csv(results / file, dtype={"id": str})
        write_table(results / file, alter(table))

    return change


def evaluate_on_validation_images(results: Path) -> None:
    file = results / "evaluate.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"split": "val"}))


def hold_out_too(image: str) -> Callable[[Path], None]:
    return rewrite("split.csv", lambda table: table.assign(split=table["split"].where(table["id"] != image, "test")))


PREDICTIONS = "predictions/resnet50.csv"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (rewrite(PREDICTIONS, lambda table: table[1:]), "folds-2 holds out '1' and does not predict it in metrics/"),
        (rewrite(PREDICTIONS, lambda table: pd.concat([table, table[:1]])), "folds-2 predicts '1' twice in metrics/"),
        (
            rewrite(PREDICTIONS, lambda table: table.replace({"id": {"1": "0", "4": "3"}})),
            "folds-2 predicts '0' (and 1 more) in metrics/predictions/resnet50.csv, and does not hold it out",
        ),
        (hold_out_too("0"), "folds-2 and folds-1 both hold out '0'"),
        (
            rewrite("split.csv", lambda table: table.replace({"id": {"1": "new"}})),
            "folds-1 has the image '1' which no fold holds out",
        ),
        (rewrite("split.csv", lambda table: pd.concat([table, table[:1]])), "folds-2 lists '0' twice in metrics/split"),
        (evaluate_on_validation_images, "folds-2 was evaluated on its val split, which is no fold"),
        (lambda results: (results / "split.csv").unlink(), "folds-2 has no metrics/split.csv in git"),
    ],
)
def test_an_image_that_is_not_held_out_by_exactly_one_fold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], line: str
) -> None:
    experiments = commit_folds(tmp_path, change)
    monkeypatch.chdir(tmp_path / "repository")
    with pytest.raises(InputError, match=f"^{re.escape(line)}"):
        pool_predictions(experiments)
