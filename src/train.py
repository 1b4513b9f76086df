"""Train one network: `dvc repro train@resnet50`, or `python src/train.py resnet50`."""

import argparse
import resource
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

from affect.core.files import write_json
from affect.core.places import require_place
from affect.core.records import Records, read_card, read_records
from affect.models import backend
from affect.models.backend import keras
from affect.models.card import make_card
from affect.models.initial_model import describe_start
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, SplitModel, build_model
from affect.models.saved_model import save_model
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import Model, Params, load_params
from affect.plumbing.stage import run_stage
from affect.plumbing.until_recorded import keep_until_recorded
from affect.training.checkpoint import Checkpoint, checkpoint_name, fingerprint
from affect.training.curves import live_curves, require_curves
from affect.training.distribution import (
    ALONE,
    Ranks,
    ending_together,
    join_processes,
    require_shared,
    spread_over_devices,
)
from affect.training.feature_cache import cache_features, remove_shared
from affect.training.fit import SeedEachEpoch, TrainingResult, fit
from affect.training.input.batches import Batches
from affect.training.input.examples import Array, annotated_tasks, has_votes, make_examples
from affect.training.recipe.choice import (
    choose_callbacks,
    choose_class_weights,
    choose_objective,
    choose_optimizer,
    choose_treatment,
    choose_val_treatment,
)
from affect.training.recipe.objective import compile_model

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
    backend.require_backend(params.train.backend)
    ranks = join_processes()
    with ending_together(ranks, "train"):
        require_shared(ranks, params.train.batch_size)
        train_chosen(backbone, params, ranks)


def train_chosen(backbone: str, params: Params, ranks: Ranks) -> None:
    """Train a network, and leave its model, metrics and timing, of several processes as rank 0."""
    file, checkpoint = paths.model_file(backbone), paths.CACHE / checkpoint_name(backbone)
    metrics = paths.training_metrics(backbone)
    backend.set_up(params.train.seed)
    train, val = read_records(paths.AUGMENTED), read_records(paths.PREPARED).select("val")
    cards = read_card(paths.PREPARED), read_card(paths.AUGMENTED)
    started_from = describe_start(params.model.weights)
    card = make_card(*cards, train.index["id"].nunique(), train.size, started_from)
    tasks = annotated_tasks(train.index)
    model = build_chosen(backbone, train.size, params.model, tasks)
    precision = backend.fastest_precision(backbone) if params.train.precision == "auto" else params.train.precision
    result = train_model(model, train, val, tasks, params, precision, ranks)
    if not ranks.is_first:
        return
    save_model(model.full, file, card)
    # They differ at each run, so they are no output that DVC would lock.
    write_json(paths.timing_file(file), {"seconds": round(result.seconds, 1), "peak_memory_mb": peak_memory_mb()})
    trained = {"precision": precision, "best_epoch": result.best_epoch, "epochs": result.epochs}
    write_json(metrics, trained | ranks.describe())
    keep_until_recorded(checkpoint, file)


def build_chosen(backbone: str, size: int, chosen: Model, tasks: Sequence[str]) -> SplitModel:
    """Build the model that params.yaml chooses."""
    layers = None if chosen.fine_tune_layers == "all" else chosen.fine_tune_layers
    heads = Heads(chosen.shared_units, chosen.emotion_units, chosen.va_units, chosen.pooling, chosen.dropout)
    return build_model(backbone, size, chosen.weights, layers, heads, tasks, chosen.freeze_batch_norm)


def train_model(
    model: SplitModel,
    train: Records,
    val: Records,
    tasks: tuple[str, ...],
    params: Params,
    precision: str,
    ranks: Ranks = ALONE,
) -> TrainingResult:
    """Train a model in place, from the frozen half's features where they never change, resuming a killed training."""
    chosen = params.train
    if ranks.is_first:
        remove_shared(paths.CACHE, model.full.name)
    # They are computed by each process alone, and what trains then by all devices.
    trainable, inputs = choose_inputs(model, train, val, params, precision, ranks)
    spread_over_devices(ranks)
    objective = choose_objective(chosen, tasks, has_votes(train.index))
    examples, val_examples = (
        make_examples(part, index, tasks, choose_class_weights(index, chosen), objective.shares)
        for part, index in zip(inputs, (train.index, val.index), strict=True)
    )
    batches = Batches(examples, chosen.batch_size, choose_treatment(train.index, chosen, params.augment), ranks)
    val_batches = Batches(val_examples, chosen.batch_size, choose_val_treatment(chosen), ranks)
    say_left_out(ranks, batches, val_batches)
    training_model = clone_with_fused_ops(trainable, precision, whole=model.frozen is None)
    compile_model(training_model, choose_optimizer(chosen, chosen.epochs * len(batches)), objective)
    early_stopping = keras.callbacks.EarlyStopping(patience=chosen.early_stopping_patience, restore_best_weights=True)
    others = choose_callbacks(chosen)
    file = paths.CACHE / checkpoint_name(model.full.name)
    checkpoint = Checkpoint(file, early_stopping, others, ranks)
    if checkpoint.restore(training_model, training_fingerprint(model, params, precision, ranks)) and ranks.is_first:
        print(f"train: goes on after epoch {len(checkpoint.epochs)}, from {checkpoint.file}", flush=True)
    metrics = paths.training_metrics(model.full.name)
    # It tells that model and curves are of one training, which has ended.
    if ranks.is_first:
        metrics.unlink(missing_ok=True)
    with live_curves(metrics.parent, checkpoint.epochs) if ranks.is_first else nullcontext() as curves:
        fit(
            training_model,
            batches,
            val_batches,
            checkpoint.remaining(chosen.epochs),
            [SeedEachEpoch(chosen.seed), *others, early_stopping, *filter(None, [curves]), checkpoint],
            says=ranks.is_first,
        )
    if ranks.is_first:
        remove_shared(paths.CACHE, model.full.name)
    trainable.set_weights(training_model.get_weights())
    return TrainingResult(len(checkpoint.epochs), early_stopping.best_epoch + 1, checkpoint.seconds)


def choose_inputs(
    model: SplitModel, train: Records, val: Records, params: Params, precision: str, ranks: Ranks
) -> tuple[keras.Model, Sequence[Array]]:
    """Return the model to train and its inputs: images where they are altered or mixed in each epoch, else features."""
    images = [train.images, val.images]
    if params.augment.online or params.train.mixup or params.train.cutmix:
        return model.full, images
    chosen = params.train
    return cache_features(model, images, chosen.batch_size, precision, chosen.cache_limit, paths.CACHE, ranks)


def say_left_out(ranks: Ranks, *batches: Batches) -> None:
    """Say how many images are in no batch, since devices can't share them. Raises InputError where all are."""
    for each, name in zip(batches, ("training", "validation"), strict=True):
        if not len(each):
            found = f"{len(each.examples.inputs)} {name} images"
            raise InputError(f"{found} are fewer than the {ranks.devices} devices; train on fewer of them")
    left_out = [each.left_out for each in batches]
    if any(left_out) and ranks.is_first:
        said = f"{left_out[0]} training and {left_out[1]} validation images of each epoch"
        print(f"train: {said} are in no batch: {ranks.devices} devices share each evenly", file=sys.stderr)


def training_fingerprint(model: SplitModel, params: Params, precision: str, ranks: Ranks = ALONE) -> str:
    """Return a hash of all that a training depends on: data, initial weights, parameters, code and packages."""
    records = [*paths.AUGMENTED.iterdir(), *paths.PREPARED.iterdir()]
    code = [file for room in ROOMS for file in (SOURCE / "affect" / room).rglob("*.py")]
    files = sorted([*records, *code, Path(__file__), paths.REQUIREMENTS])
    # Other devices, or another number of them, add up in another order; how many processes have them does not matter.
    facts = () if backend.ON_TENSORFLOW else (version("jax"), version("jaxlib"), ranks.devices)
    chosen = (params.model, params.train, params.augment, precision)
    return fingerprint(files, model.full.get_weights(), *chosen, backend.device_name(), *facts)


def peak_memory_mb() -> int:
    """Return the most memory that this process has held at once, in megabytes (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    run_stage(main)
