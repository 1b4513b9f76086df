"""Which images a run uses, and on which side of the split each is."""

import numpy as np
import pandas as pd

from affect.data.splitting.duplicates import group_duplicates
from affect.data.splitting.folds import split_into_folds
from affect.data.splitting.fractions import split_by_fraction
from affect.data.splitting.groups import join_people
from affect.data.splitting.sampling import sample_stratified, sample_training
from affect.data.splitting.split_file import SPLITS
from affect.plumbing.errors import InputError
from affect.plumbing.params import Data


def choose(data: Data, faces: pd.DataFrame, hashes: np.ndarray, given: pd.Series | None) -> pd.DataFrame:
    """Return the rows of `faces` to use, with the columns picture, group and split more, train first.

    faces: the columns id, expression and person (empty where unknown), and more; its index is that of `hashes`. given:
    the split of each id where it is not drawn; where it names no validation image, these are drawn from its training
    images. `picture` is the first id of a picture's copies, `group` that of images which stay on one side.

    Raises InputError where there are fewer images than asked for, or a split would be empty.
    """
    by_id = faces.set_index("id")
    strata = by_id["expression"].astype(str)
    if given is not None:
        strata += given.reindex(by_id.index)
    if data.sample_size is not None:
        faces = faces[faces["id"].isin(sample_stratified(strata, data.sample_size, data.seed))]
    first = group_duplicates(hashes[faces.index], data.duplicate_distance)
    ids = faces["id"].to_numpy()
    faces = faces.assign(picture=ids[first], group=ids[join_people(first, faces["person"])])
    faces = faces.assign(split=faces["id"].map(_split(data, faces.set_index("id"), given)))
    require_images(faces, SPLITS if data.test_fraction or data.folds else ("train", "val"), bool(data.folds))
    if data.train_fraction < 1:
        training = faces[faces["split"] == "train"].set_index("id")
        kept = sample_training(training["expression"], data.train_fraction, data.seed)
        faces = faces[(faces["split"] != "train") | faces["id"].isin(kept)]
    return faces.sort_values("split", key=lambda split: split.map(SPLITS.index), kind="stable")


def name_split(data: Data, given: pd.Series | None) -> str:
    """Return where the split comes from: folds, split_file, official, official_without_val or drawn."""
    if data.folds is not None:
        return "folds"
    if given is None:
        return "drawn"
    if data.split_file is not None:
        return "split_file"
    return "official" if (given == "val").any() else "official_without_val"


def _split(data: Data, faces: pd.DataFrame, given: pd.Series | None) -> pd.Series:
    """Return the split of each id."""
    if data.folds is not None:
        # The fold is held out of early stopping too, which watches images of the other folds.
        is_test = split_into_folds(faces, data.folds, data.seed) == data.fold
        rest = split_by_fraction(faces[~is_test], {"val": data.val_fraction}, data.seed)
        return rest.reindex(faces.index, fill_value="test")
    if given is None:
        return split_by_fraction(faces, {"val": data.val_fraction, "test": data.test_fraction}, data.seed)
    split = given.reindex(faces.index)
    is_train = split == "train"
    if data.split_file is None and is_train.any() and not (split == "val").any():
        # Early stopping needs some.
        split[is_train] = split_by_fraction(faces[is_train], {"val": data.val_fraction}, data.seed)
    return split


def require_images(faces: pd.DataFrame, wanted: tuple[str, ...], in_folds: bool = False) -> None:
    """Raise InputError where a wanted split holds no image; `faces` has the columns picture, group and split."""
    if not (empty := [name for name in wanted if not (faces["split"] == name).any()]):
        return
    sizes, cause = faces["group"].value_counts(), ""
    if sizes.max() > 1:
        cause = f", of {len(sizes)} people or pictures that are not divided (up to {sizes.max()} images each)"
    if faces["picture"].duplicated().any():
        cause += "; if images are taken for copies that are none, lower data.duplicate_distance"
    changed = "data.val_fraction, data.test_fraction, data.official_split or data.split_file"
    raise InputError(
        f"the {empty[0]} split is empty with {len(faces)} images{cause}; use more of them, or change "
        f"{'data.folds or data.val_fraction' if in_folds else changed}"
    )
