"""What share of the copies of photographs is found: `make bench-duplicates FACES=folder`.

Prints a row for each way in which a picture comes twice, and a column for each border that pictures may share; above
them, how many of the photographs themselves are taken for copies of each other.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from copies import BORDERS, COPIES

from affect.data.images.files import IMAGE_SUFFIXES
from affect.data.images.reading import ImageLimits, read_image
from affect.data.splitting.duplicates import group_duplicates, hash_image
from affect.plumbing.parallel import parallel_map
from affect.plumbing.params import load_params


def main() -> None:
    """Run the measurement."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("folder", type=Path, help="photographs, each a different one")
    files = sorted(file for file in command.parse_args().folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    data = load_params().data
    hash_copies = partial(hash_all_copies, min_side=data.min_side, max_pixels=data.max_pixels)
    # (photographs, borders, the photograph and its copies)
    hashes = np.stack(list(parallel_map(hash_copies, files, "duplicates")))
    for number, border in enumerate(BORDERS):
        sizes = np.bincount(group_duplicates(hashes[:, number, 0], data.duplicate_distance))
        print(f"{border}: of {len(files)} photographs, {sizes[sizes > 1].sum()} are taken for copies of others")
    print(f"| copy | {' | '.join(BORDERS)} |\n|---" + "|---" * len(BORDERS) + "|")
    for copy, name in enumerate(COPIES, start=1):
        shares = [share_found(hashes[:, number], copy, data.duplicate_distance) for number in range(len(BORDERS))]
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in shares)} |")


def hash_all_copies(file: Path, min_side: int, max_pixels: int) -> np.ndarray:
    """Return the hashes of a photograph and its copies, (borders, 1 + copies)."""
    photograph = read_image(file, ImageLimits(min_side, max_pixels))
    return np.array(
        [
            [hash_image(alter(border(photograph))) for alter in (lambda image: image, *COPIES.values())]
            for border in BORDERS.values()
        ]
    )


def share_found(hashes: np.ndarray, copy: int, distance: int) -> float:
    """Return the share of photographs that are grouped with one of their copies, each pair looked at by itself."""
    return float(np.mean([group_duplicates(pair, distance)[1] == 0 for pair in hashes[:, [0, copy]]]))


if __name__ == "__main__":
    main()
