"""Pretrain a backbone on drawn faces: `python src/pretrain.py resnet50` (data/weights/README.md has the rest)."""

from affect.plumbing.stage import run_stage

import argparse
import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from dvclive import Live

from affect.core.files import require_place, write_json
from affect.core.rng import digest
from affect.models import backend
from affect.models.backbones import save_backbone
from affect.models.backend import keras
from affect.plumbing.params import Pretrain, PretrainedNetwork, load_params
from affect.synthetic.pretraining import Checkpoint, build_network, compile_network, draw_batches
from affect.synthetic.stream import DrawnStream
from affect.training.curves import Curves, move_curves, require_curves
from affect.training.fit import SeedEachEpoch

WEIGHTS = Path("data/weights")
CURVES = Path("metrics/pretrain")
CHECKPOINTS = Path("data/cache/pretrain")


def main() -> None:
    """Run the stage."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("backbone", choices=["resnet50", "efficientnetb1"])
    backbone = arguments.parse_args().backbone
    settings = load_params().pretrain
    recipe = getattr(settings, backbone)
    file, record = WEIGHTS / f"{backbone}.weights.h5", WEIGHTS / f"{backbone}.json"
    checkpoint = Checkpoint(CHECKPOINTS / f"{backbone}-{digest(0, repr(settings)):x}.weights.h5")
    for output in (file, record, checkpoint.file):
        require_place(output)
    require_curves(CURVES / backbone)
    backend.set_up(settings.seed)
    keras.mixed_precision.set_global_policy(recipe.precision)
    network, body = build_network(backbone, settings.image_size, settings.batch_norm_momentum)
    # DVCLive empties its folder when a training begins.
    logged = checkpoint.file.with_suffix(".curves")
    scores = train(network, settings, recipe, checkpoint, logged)
    move_curves(logged, CURVES / backbone)
    save_backbone(backbone, body, file)
    write_json(record, describe(file, settings, recipe, scores))
    checkpoint.file.unlink()
    shutil.rmtree(logged)


def train(
    network: keras.Model, settings: Pretrain, recipe: PretrainedNetwork, checkpoint: Checkpoint, curves: Path
) -> dict[str, float]:
    """Train on faces none of which comes twice, on from the checkpoint; return the scores on faces never trained on."""
    steps = recipe.epochs * settings.epoch_steps
    compile_network(network, steps, settings.warm_up, recipe.learning_rate, settings.weight_decay)
    done = checkpoint.restore(network)
    faces, unseen_faces = (
        DrawnStream(settings.seed, purpose, settings.image_size, settings.batch_size, settings.expressiveness)
        for purpose in ("train", "val")
    )
    unseen = draw_batches(unseen_faces, range(settings.val_steps)).cache()
    if done < steps:
        with Live(str(curves), dvcyaml=None, save_dvc_exp=False, resume=done > 0) as live:
            network.fit(
                draw_batches(faces, range(done, steps)),
                initial_epoch=done // settings.epoch_steps,
                steps_per_epoch=settings.epoch_steps,
                epochs=recipe.epochs,
                shuffle=False,
                validation_data=unseen,
                callbacks=[
                    keras.callbacks.TerminateOnNaN(raise_error=True),
                    SeedEachEpoch(settings.seed),
                    Curves(live),
                    checkpoint,
                ],
                verbose=1 if sys.stdout.isatty() else 2,
            )
    return network.evaluate(unseen, verbose=0, return_dict=True)


def describe(file: Path, settings: Pretrain, recipe: PretrainedNetwork, scores: dict[str, float]) -> dict:
    """Return what made the weights in `file`, for the record beside it."""
    shared = settings.model_dump(exclude={"resnet50", "efficientnetb1"})
    return {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "faces": recipe.epochs * settings.epoch_steps * settings.batch_size,
        "params": shared | recipe.model_dump(),
        "commit": describe_commit(),
        "packages": {name: version(name) for name in ("keras", "tensorflow", "numpy", "opencv-python-headless")},
        "scores_on_unseen_drawn_faces": {name: round(score, 4) for name, score in scores.items()},
    }


def describe_commit() -> str:
    """Return the commit of the code, marked where the code differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    run_stage(main)
