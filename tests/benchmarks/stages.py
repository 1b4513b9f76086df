"""prepare and augment against the loops that one would write otherwise."""

import tempfile
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pandas as pd
import tensorflow as tf
from conftest import Workspace
from PIL import Image

import augment
import prepare
import sample
from affect.core.records import read_records
from affect.core.rng import rng_for
from affect.data.splitting.duplicates import HASH_SIDE
from affect.models.backend import keras
from affect.plumbing.params import load_params
from affect.training.input.augmentation import Augmentation
from affect.training.input.augmentation import augment as augment_image
from measuring import Result, compare, timed

FACES, SIZE, TURNS, BATCH = 4000, 224, 3, 64
LABELS = ["exp", "val", "aro"]


def compare_stages() -> list[Result]:
    """Compare both stages on so many drawn faces as the report had photographs, at its size."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        workspace = Workspace.create(Path(folder))
        sizes = {"data.image_size": SIZE, "sample.images": FACES, "sample.size": SIZE}
        workspace.set_params(**{"data.raw": "data/sample"} | sizes)
        sample.main()
        works: dict[str, tuple[Callable[[], None], dict[str, Callable[[], None]]]] = {
            "prepare": (
                prepare.main,
                {
                    "loop over cv2.imread, with imagehash's pHash": partial(loop_over_imread, hashed=True),
                    "loop over cv2.imread, duplicates val_batches": partial(loop_over_imread, hashed=False),
                },
            ),
            "augment": (
                augment.main,
                {"loop over the images, same copies": loop_over_copies, "Keras's layers": augment_with_keras},
            ),
        }
        results = []
        for stage, (ours, baselines) in works.items():
            for run in (ours, *baselines.values()):
                run()
            theirs = {name: timed(run) for name, run in baselines.items()}
            results += compare(f"{stage}, {FACES} faces", {"stage": timed(ours)}, theirs, TURNS)
        return results


def loop_over_imread(hashed: bool) -> None:
    """Read, resize, hash and pack every image in one process."""
    raw = Path("data/sample")
    images, labels, hashes = [], [], []
    for file in sorted((raw / "images").iterdir()):
        image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        assert image is not None
        labels.append([float(np.load(raw / "annotations" / f"{file.stem}_{name}.npy")) for name in LABELS])
        if hashed:
            hashes.append(imagehash.phash(Image.fromarray(image), HASH_SIDE))
        images.append(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    save(images, pd.DataFrame(labels, columns=LABELS))


def loop_over_copies() -> None:
    """Alter every image by the stage's own function."""
    settings = load_params().augment
    bounds = Augmentation(**settings.model_dump(exclude={"copies", "online", "seed"}))
    train = read_records(Path("data/prepared")).select("train")
    images = []
    for id, image in zip(train.index["id"], train.images[:], strict=True):
        images.append(image)
        for copy in range(1, settings.copies + 1):
            images.append(augment_image(image, bounds, rng_for(settings.seed, id, copy)))
    save(images, train.index)


def augment_with_keras() -> None:
    """Alter every image by Keras's layers, compiled and in batches."""
    settings = load_params().augment
    turn, brightness = settings.rotation / 360, settings.brightness
    layers = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(turn),
            keras.layers.RandomZoom(settings.zoom),
            keras.layers.RandomTranslation(settings.shift, settings.shift),
            keras.layers.RandomBrightness(brightness),
            keras.layers.RandomContrast(settings.contrast),
        ]
    )
    alter = tf.function(lambda batch: layers(batch, training=True))
    train = read_records(Path("data/prepared")).select("train")
    images = []
    for start in range(0, len(train.images), BATCH):
        batch = train.images[start : start + BATCH]
        images.append(batch)
        for _ in range(settings.copies):
            images.append(np.asarray(alter(batch.astype(np.float32))).round().astype(np.uint8))
    save(np.concatenate(images), train.index)


def save(images: list[np.ndarray] | np.ndarray, index: pd.DataFrame) -> None:
    """Write what a baseline made."""
    Path("baseline").mkdir(exist_ok=True)
    np.save("baseline/images.npy", np.stack(images) if isinstance(images, list) else images)
    index.to_csv("baseline/index.csv", index=False)
