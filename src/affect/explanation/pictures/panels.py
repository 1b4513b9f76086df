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
    face: np.ndarray, maps: Mapping[str, np.ndarray], row: pd.Series, hidden: Collection[str]
) -> Image.Image:
    """Return a face and its maps, each with what greying a fifth of the face changes.

    A map whose fifth takes away no more than random ones do on average is not drawn, which its caption says, nor is one
    of a kind that is `hidden`, because that is so of all faces. face: (side, side, 3) uint8, what the network saw, in
    more pixels. maps: by kind, (rows, columns). row: of the face in faces.csv.
    """
    tiles, captions = [face], ["the face, cut as for the network"]
    for kind, found in maps.items():
        value = row["probability" if kind in _UNSIGNED else kind]
        side = -1 if value < 0 else 1
        marked, random = (value - side * row[f"{kind}_{which}"] for which in ("marked", "random"))
        named = row["explained_expression"] if kind == "emotion" else kind
        lines = [f"{named} {value:.2f}" if kind != "attention" else "attention, the same for all outputs"]
        lines += [f"marked fifth grey: {marked:.2f}", f"a random one: {random:.2f}"]
        if kind in hidden:
            lines.append("not shown: chance over all faces")
        elif row[f"{kind}_marked"] <= max(row[f"{kind}_random"], 0):
            lines.append("not shown: no better than chance")
        else:
            lines.append(f"better than {row[f'{kind}_beaten']} of {DRAWS} random ones")
        is_shown = lines[-1].startswith("better")
        whole = enlarge(found[None], len(face))[0]
        tiles.append(overlay(face, whole if is_shown else np.zeros_like(whole), kind not in _UNSIGNED))
        captions.append("\n".join(lines))
    title = f"{row['id']:.{MAX_TITLE}}, face {row['face']}"
    return lay_out(title, tiles, captions, len(tiles))
