"""Show what a network looks at in each face of pictures, and test whether that is more than chance.

    python src/explain.py models/efficientnetb1.keras PHOTOGRAPH.jpg FOLDER -o explained

Faces are found and resized as predict.py does. For each there are a picture with the maps of its expression, valence
and arousal, where orange speaks for the expression or raises the value, and blue lowers it; the maps as arrays (.npz);
and a row in faces.csv with what greying the fifth of the face that a map marks takes away, beside a random fifth. A map
that does no better than chance is not drawn. The folder must be new: nothing that is there is ever replaced.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from affect.core.files import new_folder
from affect.core.labels import EXPRESSIONS
from affect.data.images.cropping import Box, crop_square, map_to_square
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.explanation import METHODS, open_explainer
from affect.explanation.study.single_faces import Face, explain_faces, finish
from affect.inference.detection import FaceDetector
from affect.inference.faces import SCALE, cut_faces
from affect.inference.sources import Source, list_sources
from affect.models import backend
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command

BATCH = 64
# Pixels a side of a face in a picture of it.
SIDE = 288


def main() -> None:
    """Run the command."""
    options = parse_command()
    chosen = None if options.expression is None else EXPRESSIONS.index(options.expression)
    require_elsewhere(options.output, options.inputs)
    sources, others, missing = list_sources(options.inputs)
    pictures = [source for source in sources if not source.is_video]
    faults = [f"{path}: no such file or folder" for path in missing]
    faults += [f"{source.file}: a video; explain single frames of it" for source in sources if source.is_video]
    for fault in faults:
        say(fault)
    if others:
        say(f"passed over, no pictures: {len(others)}, such as {others[0]}")
    with new_folder(options.output) as folder:
        backend.set_up()
        explainer, predictor = open_explainer(options.model, options.layer)
        explain = partial(explain_faces, explainer, predictor.run, options.method, chosen, folder)
        detector = None if options.cropped else FaceDetector()
        faces = read_faces(pictures, predictor.image_size, detector, options.max_pixels, faults)
        done = 0
        while block := list(islice(faces, BATCH)):
            explain(block, done)
            done += len(block)
        if not done:
            if len(faults) == len(sources) + len(missing):
                raise InputError("none of them can be read, as said above")
            raise InputError("no face was found in them; --cropped takes pictures as they are")
        said = [f"explain: {done} faces in {options.output}", *finish(folder, chosen is not None)]
    print("\n".join(map(printable, said)))
    if faults:
        raise InputError(f"{len(faults)} of {len(sources) + len(missing)} inputs could not be explained, as said above")


def require_elsewhere(output: Path, inputs: Sequence[Path]) -> None:
    """Raise InputError where the next run would read what this one writes."""
    for folder in inputs:
        if folder.is_dir() and output.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"-o {output} lies in {folder}, with which it would be read too; name a folder elsewhere")


def read_faces(
    sources: Sequence[Source], size: int, detector: FaceDetector | None, max_pixels: int, faults: list[str]
) -> Iterator[Face]:
    """Yield the faces of pictures, from left to right; say which can't be read, and add that to the faults."""
    for source in tqdm(sources, desc="explain", unit=" pictures", disable=None):
        try:
            image = read_image(source.file, ImageLimits(1, max_pixels))
        except UnusableImageError as error:
            faults.append(f"{source.file}: skipped, {error.detail}")
            say(faults[-1])
            continue
        squares = cut_faces(image, size, detector)
        if not squares:
            say(f"{source.file}: no face")
        for number, square in enumerate(squares, 1):
            whole = Box(0, 0, image.shape[1], image.shape[0])
            box = whole if square.cropped or square.found is None else square.found.box
            shown = crop_square(image, box, SIDE, SCALE)
            points = map_to_square(square.found.landmarks, box, size) if square.found else None
            yield Face(source.id, source.name, number, square.pixels, shown, points)


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written")
    command.add_argument("inputs", type=Path, nargs="+", help="pictures, or folders, with all that is in them")
    command.add_argument("-o", "--output", type=Path, required=True, help="the folder to write, a new one")
    command.add_argument("--expression", choices=EXPRESSIONS, help="the one to explain; the predicted one of each face")
    command.add_argument("--method", choices=METHODS[:2], default=METHODS[0])
    command.add_argument("--layer", help="whose map is explained; of the networks here it is known")
    command.add_argument("--cropped", action="store_true", help="each picture is of one face; none is looked for")
    command.add_argument("--max-pixels", type=int, default=50_000_000, help="larger pictures are skipped unread")
    return command.parse_args()


def say(text: str) -> None:
    """Write a line beside the progress bar."""
    tqdm.write(printable(f"explain: {text}"), file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
