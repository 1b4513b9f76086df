"""A face beside the maps of what is predicted of it."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from PIL import Image

from affect.explanation.explainer import enlarge
from affect.explanation.faithfulness.marked import DRAWS
from affect.explanation.pictures.overlays import lay_out, overlay

# Characters of a picture's id over its panel.
MAX_TITLE = 60
# Of kinds of maps, those without a sign.
_UNSIGNED = ("emotion", "attention")


def draw_panel(
    face: np.ndarray, maps: Mapping[str, np.ndarray], row: pd.Series, hidden: Collection[str], is_named: bool
) -> Image.Image:
    """Return a face and its maps, each with what greying a fifth of the face changes.

    A map whose fifth takes away no more than random ones do on average is not drawn, which its caption says, nor is one
    of a kind that is `hidden`, because that is so of all faces. face: (side, side, 3) uint8, what the network saw, in
    more pixels. maps: by kind, (rows, columns). row: of the face in faces.csv. is_named: whether what greying
    takes away from the expression is of the logarithm of its probability.
    """
    tiles, captions = [face], ["the face, cut as for the network"]
    for kind, found in maps.items():
        fault = "chance over all faces" if kind in hidden else _find_fault(row, kind)
        whole = enlarge(found[None], len(face))[0]
        tiles.append(overlay(face, np.zeros_like(whole) if fault else whole, kind not in _UNSIGNED))
        last = f"not shown: {fault}" if fault else f"better than {row[f'{kind}_beaten']} of {DRAWS} random ones"
        captions.append("\n".join([*_say_outputs(row, kind, is_named and kind in _UNSIGNED), last]))
    title = f"{row['id']:.{MAX_TITLE}}, face {row['face']}"
    return lay_out(title, tiles, captions, len(tiles))


def _find_fault(row: pd.Series, kind: str) -> str | None:
    """Return in what the map of a face fails."""
    if row[f"{kind}_marked"] <= 0:
        return "it takes nothing away"
    return "random ones take as much" if row[f"{kind}_marked"] <= row[f"{kind}_random"] else None


def _say_outputs(row: pd.Series, kind: str, by_logarithm: bool) -> list[str]:
    """Return what is explained, and the output as it is, with the marked fifth grey, and with a random one."""
    value = row["probability" if kind in _UNSIGNED else kind]
    taken = [row[f"{kind}_{which}"] for which in ("marked", "random")]
    if by_logarithm:
        values = [value, *(value * np.exp(-amount) for amount in taken)]
    else:
        values = [value, *(value - (-1 if value < 0 else 1) * amount for amount in taken)]
    # Of a probability near 0 two decimals would say nothing.
    whole, marked, random = (f"{each:.2g}" if by_logarithm else f"{each:.2f}" for each in values)
    named = row["explained_expression"] if kind == "emotion" else kind
    first = "attention, the same for all outputs" if kind == "attention" else f"{named} {whole}"
    return [first, f"marked fifth grey: {marked}", f"a random one: {random}"]
