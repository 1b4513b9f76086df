"""Where everything lies, from the repository's root, in which every script runs."""

import hashlib
import os
from pathlib import Path

PARAMS = Path("params.yaml")
PRETRAIN_PARAMS = Path("data/pretrain.yaml")
EXTERNAL_PIPELINE = Path("pipelines/external/dvc.yaml")
EXTERNAL_PARAMS = Path("pipelines/external/params.yaml")
EXPORT_PIPELINE = Path("pipelines/export/dvc.yaml")
EXPORT_PARAMS = Path("pipelines/export/params.yaml")
EXPLAIN_PIPELINE = Path("pipelines/explain/dvc.yaml")
EXPLAIN_PARAMS = Path("pipelines/explain/params.yaml")
LOCK = Path("dvc.lock")
DATA_LOCK = Path("data/dvc.lock")
REQUIREMENTS = Path(__file__).parents[3] / "requirements.txt"

SAMPLE = Path("data/sample")
SPLITS = Path("data/splits")
WEIGHTS = Path("data/weights")
PREPARED = Path("data/prepared")
AUGMENTED = Path("data/augmented")
EXTERNAL = Path("data/external")
EXPORT = Path("data/export")
EXPLAIN = Path("data/explain")
# What stages leave in data/.
OUTPUTS = (SAMPLE, PREPARED, AUGMENTED, EXTERNAL, EXPORT, EXPLAIN, Path("data/cache"))
# Checkpoints and locks: what only a running or a killed stage needs. A workspace that does not outlive its experiment
# has it elsewhere.
CACHE = Path(os.environ.get("AFFECT_CACHE", "data/cache"))
SWEEP = Path("data/cache/sweep")
MODELS = Path("models")

METRICS = Path("metrics")
PREPARE_METRICS = METRICS / "prepare.json"
SPLIT_LIST = METRICS / "split.csv"
DROPPED_LIST = METRICS / "dropped.csv"
TRAIN_METRICS = METRICS / "train"
TIMING = METRICS / "timing"
PRETRAIN_METRICS = METRICS / "pretrain"
EVALUATE_METRICS = METRICS / "evaluate.json"
PREDICTIONS = METRICS / "predictions"
PLOTS = METRICS / "plots"
CONTACT_SHEET = PLOTS / "augmented.png"
WORST_ERRORS = PLOTS / "worst_errors"
PICTURE = Path("docs/faces.png")
REPORT_MARKDOWN = METRICS / "report.md"
REPORT_PAGE = METRICS / "report.html"
FULL_REPORT = METRICS / "full_report.html"
EXTERNAL_METRICS = METRICS / "external"
EXPORT_METRICS = METRICS / "export"
EXPLAIN_METRICS = METRICS / "explain"
LEARNING_CURVE = METRICS / "learning_curve.csv"
LEARNING_CURVE_PLOT = METRICS / "learning_curve.svg"


def weights_file(folder: Path, backbone: str) -> Path:
    """Return the file of a backbone's initial weights in a folder such as `WEIGHTS`."""
    return folder / backbone / "backbone.weights.h5"


def weights_card(backbone: str) -> Path:
    """Return the file that says how a backbone's embedded weights were made, or that there are none yet."""
    return WEIGHTS / backbone / "card.json"


def model_file(backbone: str) -> Path:
    """Return the file of a trained model."""
    return MODELS / f"{backbone}.keras"


def training_metrics(backbone: str) -> Path:
    """Return the file that a finished training leaves beside its curves."""
    return TRAIN_METRICS / backbone / "metrics.json"


def timing_file(model: Path) -> Path:
    """Return the file for seconds and memory of the training here that made this very model: it has the MD5's name."""
    return TIMING / f"{file_md5(model)}.json"


def file_md5(file: Path) -> str:
    """Return a file's MD5, by which DVC knows it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()
