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
    return {
        "dataset": dataset_seeds,
        "tables": tables_seeds,
        "records": records_seeds,
        "params": params_seeds,
    }[target]()


def dataset_seeds() -> list[bytes]:
    """A JPEG, a PNG and a WebP, with a label as a string, a number and a vector of one."""
    labels = (np.array("3"), np.array(7.0), np.array([0], np.int64))
    picture = Image.fromarray(draw_picture("fuzz", 24))
    images = [save(partial(picture.save, format=kind)) for kind in ("JPEG", "PNG", "WEBP")]
    return [image + SEPARATOR + save(partial(np.save, arr=label)) for image, label in zip(images, labels, strict=True)]


def tables_seeds() -> list[bytes]:
    """A table with every column, FER2013's, and AffectNet's list with and without its header."""
    columns = b"id,path,expression,valence,arousal,person,split,box,age\n"
    rows = b'1,picture.png,happy,0.5,-0.5,ann,train,"0 0 2 2",7\n2,picture.png,Anger,,,,val,,\n'
    header = b"subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal\n"
    row = b"picture.png,0,0,2,2,1.5;2.5,1,0.25,-2\n"
    return [columns + rows, b'emotion, pixels,Usage\n3,"0 1 2 255",Training\n', header + row, row]


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
