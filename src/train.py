"""Train one network: `dvc repro train@resnet50`, or `python src/train.py resnet50`."""

from affect.plumbing.stage import REQUIREMENTS, run_stage

import argparse
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from affect.core.files import require_place, write_json
from affect.core.records import Records, read_records
from affect.models import backend
from affect.models.backend import keras
from affect.models.kernels import fused_copy
from affect.models.multitask import Network, Units, build_network
from affect.models.precision import fastest_precision, input_type
from affect.models.saved_model import save_model
from affect.plumbing.params import Params, Train, load_params
from affect.plumbing.process_lock import started_by_dvc
from affect.training.batches import Array
from affect.training.checkpoint import Checkpoint, checkpoint_name, fingerprint, remove_checkpoint
from affect.training.curves import require_curves, save_curves
from affect.training.fit import (
    Batches,
    SeedEachEpoch,
    annotated_tasks,
    balanced_class_weights,
    compile_network,
    compute_features,
    fit,
    make_examples,
    why_not_stored,
)

TRAIN_RECORDS = Path("data/augmented")
VAL_RECORDS = Path("data/prepared")
MODELS = Path("models")
CURVES = Path("metrics/train")
TIMING = Path("metrics/timing")
SCRATCH = Path("data/cache")
LOCK = Path("dvc.lock")


def main() -> None:
    """Run the stage."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("backbone")
    backbone = arguments.parse_args().backbone
    params = load_params()
    file, timing = MODELS / f"{backbone}.keras", TIMING / f"{backbone}.json"
    for output in (file, timing, SCRATCH / checkpoint_name(backbone)):
        require_place(output)
    require_curves(CURVES / backbone)
    backend.set_up(params.train.seed)
    train, val = read_records(TRAIN_RECORDS), read_records(VAL_RECORDS).select("val")
    tasks = annotated_tasks(train.index)
    model = params.model
    units = Units(model.shared_units, model.emotion_units, model.affect_units)
    network = build_network(backbone, train.size, model.weights, model.fine_tune_layers, units, tasks)
    precision = fastest_precision(backbone) if params.train.precision == "auto" else params.train.precision
    checkpoint = train_network(network, train, val, tasks, params, precision)
    facts = {"precision": precision, "best_epoch": checkpoint.early_stopping.best_epoch}
    save_curves(CURVES / backbone, checkpoint.epochs, facts)
    # It differs at each run, so it is no output that DVC would lock.
    write_json(timing, {"seconds": round(checkpoint.seconds, 1), "peak_memory_mb": peak_memory_mb()})
    save_model(network.model, file)
    if started_by_dvc():
        checkpoint.keep_until_recorded(file)
    else:
        remove_checkpoint(checkpoint.file)


def train_network(
    network: Network, train: Records, val: Records, tasks: tuple[str, ...], params: Params, precision: str
) -> Checkpoint:
    """Train from the frozen half's output, on from where a killed training was."""
    settings = params.train
    early_stopping = keras.callbacks.EarlyStopping(patience=settings.early_stopping_patience, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=settings.plateau_factor, patience=settings.plateau_patience)
    checkpoint = Checkpoint(SCRATCH / checkpoint_name(network.model.name), early_stopping, plateau)
    trained, inputs = choose_inputs(network, [train.images, val.images], settings, precision)
    balanced = settings.class_weight == "balanced"
    examples, val_examples = (
        make_examples(part, index, tasks, balanced_class_weights(index["expression"]) if balanced else None)
        for part, index in zip(inputs, (train.index, val.index), strict=True)
    )
    learner = fused_copy(trained, precision)
    compile_network(learner, tasks, settings.learning_rate, settings.loss_weights.model_dump())
    if checkpoint.restore(learner, identify(network.model, params, precision), LOCK):
        print(f"train: goes on after epoch {len(checkpoint.epochs)}, from {checkpoint.file}", flush=True)
    fit(
        learner,
        Batches(examples, settings.batch_size, settings.seed),
        Batches(val_examples, settings.batch_size),
        range(settings.epochs if checkpoint.done else len(checkpoint.epochs), settings.epochs),
        [SeedEachEpoch(settings.seed), plateau, early_stopping, checkpoint],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    trained.set_weights(learner.get_weights())
    return checkpoint


def identify(model: keras.Model, params: Params, precision: str) -> str:
    """Return a fingerprint of all that a training depends on: data, initial weights, parameters, code and packages."""
    files = [*TRAIN_RECORDS.iterdir(), *VAL_RECORDS.iterdir(), *Path(__file__).parent.rglob("*.py"), REQUIREMENTS]
    facts = params.model, params.train, precision
    return fingerprint(sorted(files), model.get_weights(), *facts)


def choose_inputs(
    network: Network, images: Sequence[Array], settings: Train, precision: str
) -> tuple[keras.Model, Sequence[Array]]:
    """Return what to train and its inputs: the trained half and the frozen half's stored output for the images.

    Where that output does not fit, or nothing is frozen, it is the whole network and the images themselves.
    """
    if network.frozen is None:
        return network.model, images
    dtype = input_type(precision)
    if reason := why_not_stored(network.frozen, sum(map(len, images)), dtype, settings.cache_limit, SCRATCH):
        print(f"train: the frozen layers' output is not stored but computed in every step: {reason}", file=sys.stderr)
        return network.model, images
    return network.trained, [
        compute_features(network.frozen, part, settings.batch_size, dtype, SCRATCH) for part in images
    ]


def peak_memory_mb() -> int:
    """Return the most memory that this process has held at once, in megabytes (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    run_stage(main)
