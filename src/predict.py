"""Predict the expression, valence and arousal of each face in photographs and videos.

    python src/predict.py models/efficientnetb1.keras PHOTOGRAPH.jpg VIDEO.mp4 FOLDER -o predictions.csv

Faces are found, cut out, and resized as `prepare` does with cropped ones; a picture that its only face fills, and with
--cropped each picture, is taken as it is. In videos faces are followed, numbered and smoothed over time. The table has
a row for each face as soon as it is predicted, CSV or Parquet by the ending. It must be a new file: nothing that is
there already is ever replaced.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.inference import BLOCK, FACE_COLUMNS, FacePredictor
from affect.inference.overlays import annotate, require_outputs, write_video_page
from affect.inference.sources import Source, list_sources
from affect.inference.tables import RowFile, open_rows, read_pictures
from affect.inference.tables.counting import Count, warn
from affect.inference.videos import SMOOTHED, Every, UnusableVideoError, Video, predict_video
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command

MAX_WINDOW = 60
COLUMNS = ["id", "source", "frame", "time", *FACE_COLUMNS, *SMOOTHED]


def main() -> None:
    """Run the command."""
    options = parse_command()
    require_outputs(options.output, options.annotate, options.report, options.inputs, options.resume)
    sources, others, missing = list_sources(options.inputs)
    if others:
        warn(f"passed over, neither picture nor video: {len(others)}, such as {others[0]}")
    count = Count()
    for path in missing:
        count.fail(f"{path}: no such file or folder")
    with open_rows(options.output, COLUMNS, lambda: describe(options), options.resume) as rows:
        predictor = FacePredictor(options.model, options.cropped, options.mirror, options.batch_size)
        if options.model.suffix == ".keras":
            warn("runs through Keras; a file of `python src/export.py` is several times as fast")
        rows.require({source.name for source in sources})
        for fault in rows.faults:
            count.fail(fault)
        for is_video, group in groupby(sources, key=lambda source: source.is_video):
            if is_video:
                for source in group:
                    predict_frames(predictor, source, options, rows, count)
            else:
                predict_pictures(predictor, list(group), options.max_pixels, rows, count)
        if rows.is_empty:
            raise InputError("none of the pictures and videos can be read")
        if options.annotate:
            annotate(rows.file, sources, options.annotate, options.every, options.max_pixels)
        if options.report:
            write_video_page(rows.file, sources, options.report, options.every, options.max_pixels)
    print(printable(f"predict: {count}, in {options.output}"))
    if count.failed:
        named = len(sources) + len(missing)
        raise InputError(f"{count.failed} of {named} pictures and videos could not be read whole, as said above")


def predict_pictures(
    predictor: FacePredictor, sources: Sequence[Source], max_pixels: int, rows: RowFile, count: Count
) -> None:
    """Append the rows of each picture that can be read and that no earlier run has done."""
    done = [source for source in sources if source.name in rows.done]
    # Those of the last block come again, so that the others share its batches as they would have.
    skipped = set(done[: len(done) - len(done) % BLOCK])
    left = [source for source in sources if source not in skipped]
    for source, faces in predictor.predict_each(read_images(left, max_pixels, count)):
        if source.name not in rows.done:
            rows.append([{"id": source.id, "source": source.name, **row} for row in faces])
            count.add(faces, is_frame=False)


def read_images(sources: Sequence[Source], max_pixels: int, count: Count) -> Iterator[tuple[Source, np.ndarray]]:
    """Yield each picture with its (height, width, 3) image; say which can't be read."""
    for source in tqdm(sources, desc="predict", unit=" pictures", disable=None):
        try:
            image = read_image(source.file, ImageLimits(1, max_pixels))
        except UnusableImageError as error:
            count.fail(f"{source.file}: skipped, {error.detail}")
        else:
            yield source, image


def predict_frames(
    predictor: FacePredictor, source: Source, options: argparse.Namespace, rows: RowFile, count: Count
) -> None:
    """Append the rows of a video, from where an earlier run has left it."""
    if source.name in rows.done:
        return
    before = read_pictures(rows.file, source.name) if rows.begun == source.name else ()
    try:
        with Video(source.file, options.max_pixels) as video:
            frames = predict_video(predictor, video, options.every, options.smooth, before)
            for faces in tqdm(frames, source.id, video.count(options.every), unit=" frames", disable=None):
                rows.append([{"id": source.id, "source": source.name, **row} for row in faces])
                count.add(faces, is_frame=True)
            fault = f"{source.file}: {video.fault}"
            # Else an earlier run has said it, which had its last frame to write.
            if video.fault and fault not in rows.faults:
                rows.note(fault)
                count.fail(fault)
    except UnusableVideoError as error:
        if rows.begun == source.name:
            raise InputError(f"{source.file}: has changed since it was begun: {error}") from None
        count.fail(f"{source.file}: skipped, {error}")


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written, or a file of export.py")
    command.add_argument("inputs", type=Path, nargs="+", help="pictures, videos, or folders, with all that is in them")
    command.add_argument("-o", "--output", type=Path, required=True, help="the table to write, a new file")
    command.add_argument(
        "--cropped", action="store_true", help="each picture is of one face already; none is looked for"
    )
    command.add_argument("--resume", action="store_true", help="go on with what a killed run has left at -o")
    command.add_argument("--batch-size", type=positive, default=64)
    command.add_argument("--mirror", action="store_true", help="the mean of face and mirror image, as evaluate.mirror")
    command.add_argument("--max-pixels", type=positive, default=50_000_000, help="larger pictures are skipped unread")
    command.add_argument(
        "--every", type=Every.parse, default=Every(), help="of videos, every so many frames (5) or seconds (0.2s); 1"
    )
    command.add_argument(
        "--smooth",
        type=seconds,
        default=1.0,
        metavar="SECONDS",
        help="of videos, the window of smoothed values; 1",
    )
    command.add_argument(
        "--annotate", type=Path, metavar="FOLDER", help="draw faces and values onto copies of the pictures and videos"
    )
    command.add_argument("--report", type=Path, metavar="PAGE.html", help="show the videos' faces over time on a page")
    return command.parse_args()


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def seconds(text: str) -> float:
    """Return a number of seconds, at most a minute: all frames of a window are kept."""
    if not 0 <= float(text) <= MAX_WINDOW:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {MAX_WINDOW}")
    return float(text)


def describe(options: argparse.Namespace) -> dict[str, str | bool | float | list | None]:
    """Return what two runs must have in common to write to one table."""
    model = paths.file_md5(options.model) if options.model.is_file() else None
    same = {name: getattr(options, name) for name in ("cropped", "mirror", "batch_size", "smooth", "max_pixels")}
    every = [options.every.frames, options.every.seconds]
    return {"model": str(options.model), "md5": model, "every": every, "annotate": str(options.annotate), **same}


if __name__ == "__main__":
    run_command(main)
