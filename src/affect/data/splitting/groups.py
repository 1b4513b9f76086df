"""Which images stay together: the copies of a picture, and all pictures of a person."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def join_people(first: np.ndarray, people: pd.Series) -> np.ndarray:
    """Join the groups of images that show one person, directly or through others.

    first: (images,) int, for each image the position of its group's first. people: (images,) the person on each, empty
    where it is not known. Returns groups likewise.
    """
    known = np.flatnonzero(people.to_numpy() != "")
    codes, _ = pd.factorize(people.iloc[known])
    count = len(first)
    rows = np.concatenate([np.arange(count), known])
    columns = np.concatenate([first, count + codes])
    nodes = count + (int(codes.max()) + 1 if len(codes) else 0)
    _, labels = connected_components(
        coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(nodes, nodes)), directed=False
    )
    _, firsts, inverse = np.unique(labels[:count], return_index=True, return_inverse=True)
    return firsts[inverse]
