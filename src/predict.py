"""Predict the expression, valence and arousal of cropped faces.

    python src/predict.py models/resnet50.keras FACE.jpg FOLDER -o predictions.csv

Faces are padded and resized as `prepare` does. The CSV has the columns of metrics/predictions, without the truth.
"""

from stage import run_command

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affect import runtime
from affect.dataset import IMAGE_SUFFIXES, UnusableImageError
from affect.errors import InputError
from affect.files import write_table
from affect.images import read_image, standardise
from affect.models import image_size, load_model
from affect.predictions import predict


def main() -> None:
    """Run the command."""
    options = parse_command()
    files = list_images(options.images)
    runtime.set_up()
    model = load_model(options.model)
    read: list[Path] = []
    batches = read_batches(files, image_size(model), options, read)
    table = predict(model, batches)
    table.insert(0, "id", name_images(read))
    write_table(options.output, table)
    skipped = len(files) - len(read)
    print(f"predict: {len(read)} images in {options.output}" + (f", {skipped} skipped" if skipped else ""))


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written")
    command.add_argument("images", type=Path, nargs="+", help="image files, or folders of them")
    command.add_argument("-o", "--output", type=Path, required=True, help="the CSV to write")
    command.add_argument("--batch-size", type=int, default=64)
    command.add_argument("--max-pixels", type=int, default=50_000_000, help="larger images are skipped unread")
    return command.parse_args()


def list_images(paths: Sequence[Path]) -> list[Path]:
    """List the image files among paths and directly in folders. Raises InputError for a path that is neither."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    if not files:
        raise InputError(f"no {', '.join(IMAGE_SUFFIXES)} file in {', '.join(map(str, paths))}")
    return files


def read_batches(
    files: Sequence[Path], size: int, options: argparse.Namespace, read: list[Path]
) -> Iterator[np.ndarray]:
    """Yield batches of (count, size, size, 3) images and append their files to `read`; report and skip the others.

    Raises InputError where no file is readable.
    """
    batch: list[np.ndarray] = []
    for file in tqdm(files, desc="predict", disable=None):
        try:
            image = read_image(file, min_side=1, max_pixels=options.max_pixels)
        except UnusableImageError as error:
            tqdm.write(f"predict: skipped {file}: {error.detail}", file=sys.stderr)
            continue
        read.append(file)
        batch.append(standardise(image, size))
        if len(batch) == options.batch_size:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
    if not read:
        raise InputError("none of the images can be read")


def name_images(files: Sequence[Path]) -> list[str]:
    """Return each file's name without its ending, as in the dataset, or its whole path where names repeat."""
    repeats = Counter(file.stem for file in files)
    return [file.stem if repeats[file.stem] == 1 else str(file) for file in files]


if __name__ == "__main__":
    run_command(main)
