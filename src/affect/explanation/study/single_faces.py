"""Single faces explained: a picture, arrays and a row of each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
LABELS = {"emotion": "expression"}
# Of a picture's id in the names of files.
MAX_NAME = 60
_UNSAFE = re.compile(r"[^\w.-]")
# Of random places, and of the intervals' resamples.
SEED, RESAMPLES = 42, 2000


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
    """Write the pictures, arrays and rows of faces; `done` faces are in the folder before them."""
    images = np.stack([face.pixels for face in faces])
    explanation = explainer.explain(images, None if expression is None else np.full(len(faces), expression))
    greyed = grey_fifths(predict, explanation, method, images, [face.id for face in faces], SEED)
    rows = []
    for row, face in enumerate(faces):
        name = f"{done + row + 1:05d}-{_UNSAFE.sub('_', face.picture)[-MAX_NAME:]}-{face.number}"
        draw_panel(f"{face.picture}, face {face.number}", face.shown, explanation, row, greyed).save(
            folder / f"{name}.png", compress_level=1
        )
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
    shares = [np.nan] * len(REGIONS)
    if face.points is not None:
        size = len(face.pixels)
        evidence = weigh_evidence(enlarge(explanation.maps[method]["emotion"][row][None], size), "emotion")
        (shares,) = share_on_regions(evidence, divide(complete_landmarks(face.points), size)[None]).tolist()
    return described | dict(zip(REGIONS, shares, strict=True))


def summarise(file: Path) -> list[str]:
    """Return what greying marked and random fifths takes away of the faces in a table, a line for each kind of map."""
    table = pd.read_csv(file)
    said = []
    for name in table.columns[table.columns.str.endswith("_marked")].str.removesuffix("_marked"):
        marked, random = table[f"{name}_marked"], table[f"{name}_random"]
        columns = {("marked",): marked.to_numpy(), ("random",): random.to_numpy()}
        tree = average(columns | {("gain",): (marked - random).to_numpy()}, RESAMPLES, SEED)
        bounds = tree.get("intervals", {}).get("gain")
        interval = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""
        said.append(
            f"  {LABELS.get(name, name):10} the marked fifth grey takes away {tree['marked']:.3f}, a random one "
            f"{tree['random']:.3f}: {tree['gain']:.3f}{interval} more"
        )
        if not bounds or bounds[0] <= 0:
            said[-1] += ", which may be chance"
    return said
