"""Train one network: `dvc repro train@resnet50`, or `python src/train.py resnet50`."""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dvclive import Live

from affect import runtime
from affect.curves import Curves
from affect.feeding import Array
from affect.files import write_json
from affect.fused import fused_copy
from affect.network import Network, Units, build_network
from affect.precision import fastest_precision, input_type
from affect.records import Records, read_records
from affect.runtime import keras
from affect.training import (
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
from params import Train, load_params
from stage import run_stage

TRAIN_RECORDS = Path("data/augmented")
VAL_RECORDS = Path("data/prepared")
MODELS = Path("models")
CURVES = Path("metrics/train")
TIMING = Path("metrics/timing")
SCRATCH = Path("data/cache")


def main() -> None:
    """Run the stage."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("backbone")
    backbone = arguments.parse_args().backbone
    params = load_params()
    runtime.set_up(params.train.seed)
    train, val = read_records(TRAIN_RECORDS), read_records(VAL_RECORDS).select("val")
    tasks = annotated_tasks(train.index)
    model = params.model
    units = Units(model.shared_units, model.emotion_units, model.affect_units)
    network = build_network(backbone, train.size, model.weights, model.fine_tune_layers, units, tasks)
    precision = fastest_precision(backbone) if params.train.precision == "auto" else params.train.precision
    with Live(str(CURVES / backbone), dvcyaml=None, save_dvc_exp=False) as live:
        live.log_metric("precision", precision, plot=False)
        started = time.perf_counter()
        best_epoch = train_network(network, train, val, tasks, params.train, precision, live)
        live.log_metric("best_epoch", best_epoch, plot=False)
    # It differs at each run, so it is no output that DVC would lock.
    timing = {"seconds": round(time.perf_counter() - started, 1), "peak_memory_mb": peak_memory_mb()}
    write_json(TIMING / f"{backbone}.json", timing)
    MODELS.mkdir(exist_ok=True)
    network.model.save(MODELS / f"{backbone}.keras")


def train_network(
    network: Network, train: Records, val: Records, tasks: tuple[str, ...], settings: Train, precision: str, live: Live
) -> int:
    """Train from the frozen half's output and return the epoch, from 0, whose weights the network keeps."""
    trained, inputs = choose_inputs(network, [train.images, val.images], settings, precision)
    balanced = settings.class_weight == "balanced"
    class_weights = balanced_class_weights(train.index["expression"]) if balanced else None
    examples = make_examples(inputs[0], train.index, tasks, class_weights)
    val_examples = make_examples(inputs[1], val.index, tasks)
    learner = fused_copy(trained, precision)
    compile_network(learner, tasks, settings.learning_rate, settings.loss_weights.model_dump())
    early_stopping = keras.callbacks.EarlyStopping(patience=settings.early_stopping_patience, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=settings.plateau_factor, patience=settings.plateau_patience)
    fit(
        learner,
        Batches(examples, settings.batch_size, settings.seed),
        Batches(val_examples, settings.batch_size),
        settings.epochs,
        [SeedEachEpoch(settings.seed), plateau, early_stopping, Curves(live)],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    trained.set_weights(learner.get_weights())
    return early_stopping.best_epoch


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
