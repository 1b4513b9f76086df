"""Draw the embedded sample in AffectNet's layout: `dvc repro data/dvc.yaml`, or `python src/sample.py`."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.files import atomic_folder, write_table
from affect.core.labels import EXPRESSIONS
from affect.core.opencv import cv2
from affect.plumbing import paths
from affect.plumbing.parallel import parallel_map
from affect.plumbing.params import Sample, load_params
from affect.plumbing.stage import run_stage
from affect.synthetic.faces import Face, render_face

JPEG_QUALITY = 95
# Of landmarks, in pixels: the last bits of float64 depend on the processor.
LANDMARK_DECIMALS = 2
ATTRIBUTE_DECIMALS = {"age": 2, "yaw": 1}


def main() -> None:
    """Run the stage."""
    params = load_params()
    with atomic_folder(paths.SAMPLE) as folder:
        (folder / "images").mkdir()
        (folder / "annotations").mkdir()
        write = partial(write_face, folder, params.sample)
        drawn = pd.DataFrame(parallel_map(write, range(params.sample.images), "sample"))
        write_table(folder / "attributes.csv", drawn.round(ATTRIBUTE_DECIMALS))
    size = params.sample.size
    print(f"sample: {params.sample.images} faces of {size} x {size} pixels in {paths.SAMPLE}")


def write_face(folder: Path, sample: Sample, face_id: int) -> dict[str, str | float]:
    """Draw one face and write its image and annotations; returns its id and what else was drawn. Expressions take
    turns."""
    face = render_face(sample.seed, face_id, face_id % len(EXPRESSIONS), sample.size, sample.expressiveness)
    image = cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    (folder / "images" / f"{face_id}.jpg").write_bytes(jpeg.tobytes())
    for name, value in annotations(face).items():
        np.save(folder / "annotations" / f"{face_id}_{name}.npy", value)
    return {"id": face_id, **face.attributes}


def annotations(face: Face) -> dict[str, np.ndarray]:
    """The labels as AffectNet ships them: numbers as 0-d strings, landmarks as x0, y0, x1, ... in pixels."""
    return {
        "exp": np.array(str(face.expression)),
        "val": np.array(f"{face.valence:.6f}"),
        "aro": np.array(f"{face.arousal:.6f}"),
        "lnd": face.landmarks.reshape(-1).round(LANDMARK_DECIMALS),
    }


if __name__ == "__main__":
    run_stage(main)
