"""Predict the expression, valence and arousal of cropped faces.

    python src/predict.py models/resnet50.keras FACE.jpg FOLDER -o predictions.csv

Faces are padded and resized as `prepare` does. The CSV has the columns of metrics/predictions without the truth, and
the predicted expression by its name. It must be a new file: nothing that is there already is ever replaced.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affect.core.files import encode_table, new_file
from affect.core.labels import EXPRESSIONS
from affect.data.images.cropping import letterbox
from affect.data.images.files import IMAGE_SUFFIXES, is_image, name_files, walk
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.models import backend
from affect.models.predictors import open_predictor
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command

ENDINGS = ", ".join(IMAGE_SUFFIXES)


def main() -> None:
    """Run the command."""
    options = parse_command()
    with new_file(options.output) as output:
        files = list_images(options.images)
        backend.set_up()
        predictor = open_predictor(options.model)
        read: list[Path] = []
        batches = read_batches(files, predictor.image_size, options, read)
        table = predictor.predict(batches, options.mirror)
        table["predicted_expression"] = table["predicted_expression"].map(dict(enumerate(EXPRESSIONS)))
        table.insert(0, "id", name_files([str(file) for file in read]))
        output.write_bytes(encode_table(table))
    skipped = len(files) - len(read)
    print(printable(f"predict: {len(read)} images in {options.output}" + (f", {skipped} skipped" if skipped else "")))


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written, or an .onnx file of export")
    command.add_argument("images", type=Path, nargs="+", help="image files, or folders, with all that is in them")
    command.add_argument("-o", "--output", type=Path, required=True, help="the CSV to write, a new file")
    command.add_argument("--batch-size", type=positive, default=64)
    command.add_argument("--mirror", action="store_true", help="the mean of face and mirror image, as evaluate.mirror")
    command.add_argument("--max-pixels", type=positive, default=50_000_000, help="larger images are skipped unread")
    return command.parse_args()


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def list_images(paths: Sequence[Path]) -> list[Path]:
    """List the images among paths and in folders, and say which files of the folders are none.

    Raises InputError for a path that is neither file nor folder, and where there is no image.
    """
    images: list[Path] = []
    others: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(walk(path)):
                (images if is_image(file.name) else others).append(file)
        elif path.exists():
            images.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    if others:
        print(printable(f"predict: passed over, not {ENDINGS}: {len(others)}, such as {others[0]}"), file=sys.stderr)
    if not images:
        raise InputError(f"no {ENDINGS} file in {', '.join(map(str, paths))}")
    return images


def read_batches(
    files: Sequence[Path], size: int, options: argparse.Namespace, read: list[Path]
) -> Iterator[np.ndarray]:
    """Yield batches of (count, size, size, 3) images and append their files to `read`; report and skip the others.

    Raises InputError where no file is readable.
    """
    batch: list[np.ndarray] = []
    for file in tqdm(files, desc="predict", disable=None):
        try:
            image = read_image(file, ImageLimits(1, options.max_pixels))
        except UnusableImageError as error:
            tqdm.write(f"predict: skipped {file}: {error.detail}", file=sys.stderr)
            continue
        read.append(file)
        batch.append(letterbox(image, size))
        if len(batch) == options.batch_size:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
    if not read:
        raise InputError("none of the images can be read")


if __name__ == "__main__":
    run_command(main)
