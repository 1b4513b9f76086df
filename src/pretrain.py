"""Pretrain a backbone on drawn faces: `python src/pretrain.py resnet50` (data/weights/README.md has the rest)."""

import argparse
import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path

from affect.core.files import write_json
from affect.core.places import require_place
from affect.core.rng import hash_seed
from affect.models import backend
from affect.models.backend import keras
from affect.plumbing import paths
from affect.plumbing.params import Pretrain, PretrainedNetwork, load_pretrain
from affect.plumbing.stage import run_stage
from affect.synthetic.pretraining import (
    PretrainingCheckpoint,
    build_pretraining_model,
    compile_pretraining_model,
    render_batches,
    save_backbone,
)
from affect.synthetic.stream import SyntheticFaces
from affect.training.curves import live_curves, require_curves
from affect.training.fit import SeedEachEpoch
from affect.training.progress import Progress

CHECKPOINTS = paths.CACHE / "pretrain"


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("backbone")
    name = command.parse_args().backbone
    params = load_pretrain()
    network, recipe = params.find(name), params.recipe(name)
    file, card = paths.weights_file(paths.WEIGHTS, name), paths.weights_card(name)
    # Another backend would go on to other weights than either.
    trained_by = keras.backend.backend()
    checkpoint = PretrainingCheckpoint(CHECKPOINTS / f"{name}-{hash_seed(0, repr(recipe), trained_by):x}.weights.h5")
    for output in (file, card, checkpoint.file):
        require_place(output)
    require_curves(paths.PRETRAIN_METRICS / name)
    backend.set_up(params.seed)
    keras.mixed_precision.set_global_policy(network.precision)
    model, backbone = build_pretraining_model(name, params.image_size, params.batch_norm_momentum)
    scores = train(model, params, network, checkpoint, paths.PRETRAIN_METRICS / name)
    save_backbone(name, backbone, file)
    write_json(card, describe(file, recipe, network.epochs * params.epoch_steps * params.batch_size, scores))
    checkpoint.file.unlink()


def train(
    model: keras.Model, params: Pretrain, network: PretrainedNetwork, checkpoint: PretrainingCheckpoint, folder: Path
) -> dict[str, float]:
    """Train on faces none of which comes twice, resuming from the checkpoint; return the scores on other faces.

    folder: for the curves.
    """
    steps = network.epochs * params.epoch_steps
    compile_pretraining_model(model, steps, params.warm_up, network.learning_rate, params.weight_decay)
    done = checkpoint.restore(model)
    train_stream, val_stream = (
        SyntheticFaces(params.seed, purpose, params.image_size, params.batch_size, params.expressiveness)
        for purpose in ("train", "val")
    )
    val_batches = render_batches(val_stream, range(params.val_steps)).cache()
    with live_curves(folder, checkpoint.epochs) as curves:
        if done < steps:
            model.fit(
                render_batches(train_stream, range(done, steps)),
                initial_epoch=done // params.epoch_steps,
                steps_per_epoch=params.epoch_steps,
                epochs=network.epochs,
                shuffle=False,
                validation_data=val_batches,
                callbacks=[
                    keras.callbacks.TerminateOnNaN(raise_error=True),
                    SeedEachEpoch(params.seed),
                    curves,
                    checkpoint,
                    Progress(),
                ],
                verbose=0,
            )
    return model.evaluate(val_batches, verbose=0, return_dict=True)


def describe(file: Path, recipe: dict[str, object], faces: int, scores: dict[str, float]) -> dict:
    """Return what made the weights in `file`, from so many faces, for the card beside it."""
    packages = ("keras", keras.backend.backend(), "numpy", "opencv-python-headless")
    return {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "faces": faces,
        "params": recipe,
        "commit": describe_commit(),
        "packages": {name: version(name) for name in packages},
        "device": backend.device_name(),
        "scores_on_unseen_drawn_faces": {name: round(score, 4) for name, score in scores.items()},
    }


def describe_commit() -> str:
    """Return the commit of the code, marked where the code differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    run_stage(main)
