"""Train one network: `dvc repro train@resnet50`, or `python src/train.py resnet50`."""

import argparse
import resource
import sys
from pathlib import Path

from affect.core.files import write_json
from affect.core.places import require_place
from affect.core.records import Records, read_card, read_records
from affect.models import backend
from affect.models.backend import keras
from affect.models.card import make_card
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import HeadWidths, SplitModel, build_model
from affect.models.saved_model import save_model
from affect.plumbing import paths
from affect.plumbing.params import Params, load_params
from affect.plumbing.stage import run_stage
from affect.plumbing.until_recorded import keep_until_recorded
from affect.training.batches import Batches
from affect.training.checkpoint import Checkpoint, checkpoint_name, fingerprint
from affect.training.curves import live_curves, require_curves
from affect.training.feature_cache import cache_features
from affect.training.fit import (
    SeedEachEpoch,
    TrainingResult,
    annotated_tasks,
    balanced_class_weights,
    compile_model,
    fit,
    has_votes,
    make_examples,
)

SOURCE = Path(__file__).parent
# The rooms that shape a training, as dvc.yaml declares them.
ROOMS = ("core", "models", "training")


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("backbone")
    backbone = command.parse_args().backbone
    params = load_params()
    file, checkpoint = paths.model_file(backbone), paths.CACHE / checkpoint_name(backbone)
    metrics = paths.training_metrics(backbone)
    # The name of the timing comes with the model.
    for output in (file, metrics, checkpoint, paths.TIMING / "any.json"):
        require_place(output)
    require_curves(metrics.parent)
    backend.set_up(params.train.seed)
    train, val = read_records(paths.AUGMENTED), read_records(paths.PREPARED).select("val")
    cards = read_card(paths.PREPARED), read_card(paths.AUGMENTED)
    card = make_card(*cards, images=train.index["id"].nunique(), image_size=train.size)
    tasks = annotated_tasks(train.index)
    widths = HeadWidths(params.model.shared_units, params.model.emotion_units, params.model.va_units)
    model = build_model(
        backbone,
        train.size,
        params.model.weights,
        params.model.fine_tune_layers,
        widths,
        tasks,
        params.model.pooling,
    )
    precision = backend.fastest_precision(backbone) if params.train.precision == "auto" else params.train.precision
    result = train_model(model, train, val, tasks, params, precision)
    save_model(model.full, file, card)
    # They differ at each run, so they are no output that DVC would lock.
    write_json(paths.timing_file(file), {"seconds": round(result.seconds, 1), "peak_memory_mb": peak_memory_mb()})
    write_json(metrics, {"precision": precision, "best_epoch": result.best_epoch, "epochs": result.epochs})
    keep_until_recorded(checkpoint, file)


def train_model(
    model: SplitModel, train: Records, val: Records, tasks: tuple[str, ...], params: Params, precision: str
) -> TrainingResult:
    """Train a model in place, from the frozen half's features, resuming a killed training."""
    early_stopping = keras.callbacks.EarlyStopping(
        patience=params.train.early_stopping_patience, restore_best_weights=True
    )
    plateau = keras.callbacks.ReduceLROnPlateau(
        factor=params.train.plateau_factor, patience=params.train.plateau_patience
    )
    checkpoint = Checkpoint(paths.CACHE / checkpoint_name(model.full.name), early_stopping, plateau)
    trainable, inputs = cache_features(
        model, [train.images, val.images], params.train.batch_size, precision, params.train.cache_limit, paths.CACHE
    )
    balanced = params.train.class_weight == "balanced"
    examples, val_examples = (
        make_examples(part, index, tasks, balanced_class_weights(index["expression"]) if balanced else None)
        for part, index in zip(inputs, (train.index, val.index), strict=True)
    )
    training_model = clone_with_fused_ops(trainable, precision)
    loss_weights = params.train.loss_weights.model_dump()
    compile_model(training_model, tasks, params.train.learning_rate, loss_weights, has_votes(train.index))
    if checkpoint.restore(training_model, training_fingerprint(model, params, precision)):
        print(f"train: goes on after epoch {len(checkpoint.epochs)}, from {checkpoint.file}", flush=True)
    metrics = paths.training_metrics(model.full.name)
    # It tells that model and curves are of one training, which has ended.
    metrics.unlink(missing_ok=True)
    with live_curves(metrics.parent, checkpoint.epochs) as curves:
        fit(
            training_model,
            Batches(examples, params.train.batch_size, params.train.seed),
            Batches(val_examples, params.train.batch_size),
            checkpoint.remaining(params.train.epochs),
            [SeedEachEpoch(params.train.seed), plateau, early_stopping, curves, checkpoint],
        )
    trainable.set_weights(training_model.get_weights())
    return TrainingResult(len(checkpoint.epochs), early_stopping.best_epoch + 1, checkpoint.seconds)


def training_fingerprint(model: SplitModel, params: Params, precision: str) -> str:
    """Return a hash of all that a training depends on: data, initial weights, parameters, code and packages."""
    records = [*paths.AUGMENTED.iterdir(), *paths.PREPARED.iterdir()]
    code = [file for room in ROOMS for file in (SOURCE / "affect" / room).rglob("*.py")]
    files = sorted([*records, *code, Path(__file__), paths.REQUIREMENTS])
    return fingerprint(files, model.full.get_weights(), params.model, params.train, precision)


def peak_memory_mb() -> int:
    """Return the most memory that this process has held at once, in megabytes (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    run_stage(main)
