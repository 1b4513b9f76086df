"""Single faces explained: a picture, arrays and a row of each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import DECIMALS
from affect.explanation.explainer import Explainer, Explanation, enlarge
from affect.explanation.faithfulness.curves import Predict
from affect.explanation.faithfulness.marked import Greyed, grey_fifths
from affect.explanation.pictures.panels import draw_panel
from affect.explanation.regions.division import REGIONS, complete_landmarks, divide
from affect.explanation.regions.shares import share_on_regions, weigh_evidence
from affect.explanation.study.means import average

TABLE = "faces.csv"
TEXTS = ("name", "id", "source")
LABELS = {"emotion": "of the expression", "attention": "of it, by attention"}
# Of a picture's id in the names of files.
MAX_NAME = 60
_UNSAFE = re.compile(r"[^\w.-]")
# Of random places, and of the intervals' resamples.
SEED, RESAMPLES = 42, 2000
# Of which it can be told whether maps are better than chance.
MIN_FACES = 10


@dataclass(frozen=True)
class Face:
    """A face to explain: the picture's id and name, its number there, what the network takes, the same in more pixels
    to show, and (5, 2) landmarks in the pixels that the network takes, where they are known."""

    picture: str
    source: str
    number: int
    pixels: np.ndarray
    shown: np.ndarray
    points: np.ndarray | None

    @property
    def id(self) -> str:
        """The picture's id and the face's number."""
        return f"{self.picture} {self.number}"


def explain_faces(
    explainer: Explainer,
    predict: Predict,
    method: str,
    expression: int | None,
    folder: Path,
    faces: Sequence[Face],
    done: int,
) -> None:
    """Write the faces, arrays and rows of faces; `done` faces are in the folder before them."""
    images = np.stack([face.pixels for face in faces])
    explanation = explainer.explain(images, None if expression is None else np.full(len(faces), expression))
    greyed = grey_fifths(predict, explanation, method, images, [face.id for face in faces], SEED)
    rows = []
    for row, face in enumerate(faces):
        name = f"{done + row + 1:05d}-{_UNSAFE.sub('_', face.picture)[-MAX_NAME:]}-{face.number}"
        # Alone, until it is known of all faces which maps are shown beside it.
        Image.fromarray(face.shown).save(folder / f"{name}.png", compress_level=1)
        maps = {task if of == method else of: explanation.maps[of][task][row] for of, task in greyed}
        np.savez_compressed(folder / f"{name}.npz", image=images[row], **maps)
        rows.append({"name": name, **_describe(face, explanation, row, method, greyed)})
    file = folder / TABLE
    pd.DataFrame(rows).round(DECIMALS).to_csv(file, mode="a", header=not file.exists(), index=False)


def _describe(
    face: Face, explanation: Explanation, row: int, method: str, greyed: Mapping[tuple[str, str], Greyed]
) -> dict[str, Any]:
    """Return a face's row: whence it is, what is explained, what greying takes away, and the shares of the regions."""
    outputs = explanation.outputs
    described: dict[str, Any] = {
        "id": face.picture,
        "source": face.source,
        "face": face.number,
        "predicted_expression": EXPRESSIONS[int(outputs["emotion"][row].argmax())],
        "explained_expression": EXPRESSIONS[explanation.expressions[row]],
        "probability": outputs["emotion"][row, explanation.expressions[row]],
    }
    described |= {task: outputs[task][row, 0] for task in explanation.tasks if task != "emotion"}
    for (of, task), tested in greyed.items():
        name = task if of == method else of
        described[f"{name}_marked"] = tested.whole[row] - tested.marked[row]
        described[f"{name}_random"] = tested.whole[row] - tested.random[row]
        described[f"{name}_beaten"] = tested.beaten[row]
    shares = [np.nan] * len(REGIONS)
    if face.points is not None:
        size = len(face.pixels)
        evidence = weigh_evidence(enlarge(explanation.maps[method]["emotion"][row][None], size), "emotion")
        (shares,) = share_on_regions(evidence, divide(complete_landmarks(face.points), size)[None]).tolist()
    return described | dict(zip(REGIONS, shares, strict=True))


def read_faces_table(file: Path) -> pd.DataFrame:
    """Read faces.csv; names are texts, numbers or NA though some may look like."""
    unknown = dict.fromkeys(REGIONS, "")
    return pd.read_csv(file, dtype=dict.fromkeys(TEXTS, str), keep_default_na=False, na_values=unknown)


def finish(folder: Path, is_named: bool) -> list[str]:
    """Draw each face's maps beside it, and return what greying fifths takes away over all, a line for each kind of map.

    A kind that over all faces is no better than chance is not drawn, where there are enough of them to tell. is_named:
    whether the expression was named, and so is measured by the logarithm of its probability.
    """
    table = read_faces_table(folder / TABLE)
    kinds = list(table.columns[table.columns.str.endswith("_marked")].str.removesuffix("_marked"))
    labels = LABELS | ({"emotion": "of log probability"} if is_named else {})
    said, hidden = ["  greying a fifth takes away    marked   random   difference"], []
    for kind in kinds:
        marked, random = (table[f"{kind}_{which}"].to_numpy() for which in ("marked", "random"))
        tree = average({("marked",): marked, ("random",): random, ("gain",): marked - random}, RESAMPLES, SEED)
        line = f"  {labels.get(kind, f'of {kind}'):26} {tree['marked']:9.3f} {tree['random']:8.3f}   {tree['gain']:.3f}"
        if len(table) >= MIN_FACES:
            low, high = tree["intervals"]["gain"]
            line += f" [{low:.3f}, {high:.3f}]"
            if low <= 0:
                hidden.append(kind)
                line += ": no better than chance, not shown"
        said.append(line)
    for _, row in tqdm(table.iterrows(), "draw", len(table), unit=" faces", disable=None):
        picture = folder / f"{row['name']}.png"
        with Image.open(picture) as opened, np.load(picture.with_suffix(".npz")) as arrays:
            panel = draw_panel(np.asarray(opened), {kind: arrays[kind] for kind in kinds}, row, hidden, is_named)
        panel.save(picture, compress_level=1)
    return said
