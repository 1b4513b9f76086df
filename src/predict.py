"""Predict the expression, valence and arousal of each face in photographs.

    python src/predict.py models/resnet50.keras PHOTOGRAPH.jpg FOLDER -o predictions.csv

Faces are found, cut out, and resized as `prepare` does with cropped ones; a picture that its only face fills, and with
--cropped each picture, is taken as it is. The table has a row for each face as soon as it is predicted, CSV or Parquet
by the ending. It must be a new file: nothing that is there already is ever replaced.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affect.data.images.files import IMAGE_SUFFIXES, is_image, name_files, walk
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.inference import FacePredictor
from affect.inference.rows import open_rows
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command

ENDINGS = ", ".join(IMAGE_SUFFIXES)


@dataclass
class Count:
    """What has come of the pictures so far."""

    pictures: int = 0
    faces: int = 0
    without: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """Say it in words."""
        parts = [f"{self.faces} faces in {self.pictures} pictures"]
        parts += [f"{self.without} without a face"] if self.without else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return ", ".join(parts)


def main() -> None:
    """Run the command."""
    options = parse_command()
    count = Count()
    files = list_images(options.images)
    with open_rows(options.output, lambda: describe(options), options.resume) as rows:
        predictor = FacePredictor(options.model, options.cropped, options.mirror, options.batch_size)
        ids = dict(zip(files, name_files([str(file) for file in files]), strict=True))
        left = [file for file in files if printable(str(file)) not in rows.done]
        for file, table in predictor.predict_each(read_images(left, options.max_pixels, count)):
            table.insert(0, "id", printable(ids[file]))
            table.insert(1, "source", printable(str(file)))
            rows.append(table)
            count.pictures += 1
            count.faces += int(table["face"].iloc[-1])
            count.without += int(table["face"].iloc[-1] == 0)
        if not (count.pictures or rows.done):
            raise InputError("none of the pictures can be read")
    print(printable(f"predict: {count}, in {options.output}"))
    if count.skipped:
        raise InputError(f"{count.skipped} of {len(left)} pictures could not be read, as said above")


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written, or a file of export.py")
    command.add_argument("images", type=Path, nargs="+", help="image files, or folders, with all that is in them")
    command.add_argument("-o", "--output", type=Path, required=True, help="the table to write, a new file")
    command.add_argument(
        "--cropped", action="store_true", help="each picture is of one face already; none is looked for"
    )
    command.add_argument("--resume", action="store_true", help="go on with what a killed run has left at -o")
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


def describe(options: argparse.Namespace) -> dict[str, str | bool | None]:
    """Return what two runs must have in common to write to one table."""
    model = paths.file_md5(options.model) if options.model.is_file() else None
    return {"model": str(options.model), "md5": model, "cropped": options.cropped, "mirror": options.mirror}


def list_images(paths: Sequence[Path]) -> list[Path]:
    """List the images among paths and in folders, and say which files of the folders are none.

    Raises InputError for a path that is neither file nor folder, and where there is no image.
    """
    images: dict[Path, None] = {}
    others: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(walk(path)):
                if is_image(file.name):
                    images[file] = None
                else:
                    others.append(file)
        elif path.exists():
            images[path] = None
        else:
            raise InputError(f"{path}: no such file or folder")
    if others:
        print(printable(f"predict: passed over, not {ENDINGS}: {len(others)}, such as {others[0]}"), file=sys.stderr)
    if not images:
        raise InputError(f"no {ENDINGS} file in {', '.join(map(str, paths))}")
    return list(images)


def read_images(files: Sequence[Path], max_pixels: int, count: Count) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield each file with its (height, width, 3) image; say which can't be read, and count them."""
    for file in tqdm(files, desc="predict", unit=" pictures", disable=None):
        try:
            image = read_image(file, ImageLimits(1, max_pixels))
        except UnusableImageError as error:
            tqdm.write(printable(f"predict: skipped {file}: {error.detail}"), file=sys.stderr)
            count.skipped += 1
        else:
            yield file, image


if __name__ == "__main__":
    run_command(main)
