"""Valid inputs of each target, from which fuzzing starts."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from conftest import ROOT, draw_picture
from fuzz.targets import SEPARATOR
from PIL import Image


def seeds(target: str) -> list[bytes]:
    """Return inputs that the target accepts."""
    return {"dataset": dataset_seeds, "records": records_seeds, "params": params_seeds}[target]()


def dataset_seeds() -> list[bytes]:
    """A JPEG, a PNG and a WebP, with a label as a string, a number and a vector of one."""
    labels = (np.array("3"), np.array(7.0), np.array([0], np.int64))
    picture = Image.fromarray(draw_picture("fuzz", 24))
    images = [save(partial(picture.save, format=kind)) for kind in ("JPEG", "PNG", "WEBP")]
    return [image + SEPARATOR + save(partial(np.save, arr=label)) for image, label in zip(images, labels, strict=True)]


def records_seeds() -> list[bytes]:
    """Two prepared images with their index."""
    images = save(partial(np.save, arr=np.zeros((2, 4, 4, 3), np.uint8)))
    index = b"id,split,expression,valence,arousal,group\n1,train,0,0.5,-0.5,1\n2,val,7,,,2\n"
    return [images + SEPARATOR + index]


def params_seeds() -> list[bytes]:
    """The repository's own parameters."""
    return [Path(ROOT / "params.yaml").read_bytes()]


def save(write: Callable[[io.BytesIO], object]) -> bytes:
    """Return what `write` puts into a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()
