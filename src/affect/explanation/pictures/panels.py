"""A face beside the maps of what is predicted of it."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from affect.core.labels import EXPRESSIONS
from affect.explanation.explainer import Explanation, enlarge
from affect.explanation.faithfulness.marked import Greyed
from affect.explanation.pictures.overlays import lay_out, overlay


def draw_panel(
    title: str, face: np.ndarray, explanation: Explanation, row: int, greyed: Mapping[tuple[str, str], Greyed]
) -> Image.Image:
    """Return a face and its maps, each with what greying a fifth of the face changes; a map that marks nothing better
    than chance does is not drawn, which its caption says.

    face: (side, side, 3) uint8, what the network saw, in more pixels. row: of the explanation.
    """
    tiles, captions = [face], ["the face, cut as for the network"]
    for (method, task), tested in greyed.items():
        found = enlarge(explanation.maps[method][task][row][None], len(face))[0]
        is_true = bool(tested.is_true[row])
        signed = task != "emotion"
        tiles.append(overlay(face, found if is_true else np.zeros_like(found), signed))
        captions.append(_describe(explanation, row, method, task, tested))
    return lay_out(title, tiles, captions, len(tiles))


def _describe(explanation: Explanation, row: int, method: str, task: str, tested: Greyed) -> str:
    name = EXPRESSIONS[explanation.expressions[row]] if task == "emotion" else task
    sign = explanation.signs(task)[row]
    whole, marked, random = (sign * values[row] for values in (tested.whole, tested.marked, tested.random))
    lines = [
        f"{name} {whole:.2f}" if method != "attention" else "attention, of all outputs",
        f"marked fifth grey: {marked:.2f}",
        f"a random one: {random:.2f}",
        *([] if tested.is_true[row] else ["no better than chance: not shown"]),
    ]
    return "\n".join(lines)
