"""Add altered copies to the training images: `dvc repro augment`, or `python src/augment.py`."""

from functools import partial

import numpy as np

from affect.core.array_file import ArrayFile
from affect.core.files import atomic_folder
from affect.core.labels import EXPRESSIONS, VOTES
from affect.core.places import require_place
from affect.core.records import (
    FILES,
    IMAGES_FILE,
    Records,
    create_images,
    read_card,
    read_records,
    write_card,
    write_index,
)
from affect.core.rng import rng_for
from affect.data.images.contact_sheet import save_contact_sheet
from affect.plumbing import paths
from affect.plumbing.parallel import parallel_map
from affect.plumbing.params import load_params
from affect.plumbing.stage import run_stage
from affect.training.input.augmentation import Alteration, Augmentation, augment

MAX_COLUMNS = 9
# How many epochs the examples show.
ALTERED_EPOCHS = 4


def main() -> None:
    """Run the stage."""
    params = load_params()
    require_place(paths.CONTACT_SHEET)
    bounds = Augmentation(**params.augment.model_dump(exclude={"copies", "online", "seed"}))
    train, source = read_records(paths.PREPARED).select("train"), read_card(paths.PREPARED)
    repeats = params.augment.copies + 1
    columns = ["id", "expression", "valence", "arousal", *(VOTES if VOTES[0] in train.index else [])]
    index = train.index.loc[train.index.index.repeat(repeats), columns]
    index = index.reset_index(drop=True)
    index.insert(1, "copy", np.tile(np.arange(repeats), len(train.index)))
    with atomic_folder(paths.AUGMENTED, FILES) as folder:
        augmented = create_images(folder / IMAGES_FILE, len(index), train.size)
        work = partial(write_copies, source=train.images, target=augmented, bounds=bounds, seed=params.augment.seed)
        originals = list(enumerate(train.index["id"]))
        for _ in parallel_map(work, originals, "augment"):
            pass
        write_index(folder, index)
        write_card(folder, source.dataset, source.layout, source.align, len(index), made_of=source.hash)
    alteration = Alteration(bounds, index["id"].array, index["copy"].to_numpy(), params.augment.seed)
    show_examples(Records(augmented, index), repeats, alteration if params.augment.online else None)
    print(f"augment: {len(originals)} images, {len(index)} with their copies")


def write_copies(
    original: tuple[int, str], source: ArrayFile, target: ArrayFile, bounds: Augmentation, seed: int
) -> None:
    """Write one training image and then its altered copies, each drawn from (seed, id, copy) alone."""
    row, id = original
    image = source[row]
    repeats = len(target) // len(source)
    target.write(row * repeats, image[None])
    for copy in range(1, repeats):
        target.write(row * repeats + copy, augment(image, bounds, rng_for(seed, id, copy))[None])


def show_examples(records: Records, repeats: int, alteration: Alteration | None) -> None:
    """Draw the first image of each expression beside its copies, and as it is altered in the first epochs."""
    originals = records.index.iloc[::repeats]
    first_rows = originals.groupby("expression").apply(lambda rows: rows.index[0])
    copies = range(min(repeats, MAX_COLUMNS))
    epochs = range(min(ALTERED_EPOCHS, MAX_COLUMNS - len(copies)) if alteration else 0)

    def show(row: int) -> list[np.ndarray]:
        altered = [alteration.alter(records.images[row], row, epoch, 0) for epoch in epochs] if alteration else []
        return [*(records.images[row + copy] for copy in copies), *altered]

    save_contact_sheet(
        paths.CONTACT_SHEET,
        [show(row) for row in first_rows],
        [EXPRESSIONS[expression] for expression in first_rows.index],
        ["original", *(f"copy {copy}" for copy in copies[1:]), *(f"epoch {epoch + 1}" for epoch in epochs)],
    )


if __name__ == "__main__":
    run_stage(main)
