"""What a network says of drawn people in scenes, found by the detector, against their true squares.

make bench-scenes MODEL=models/efficientnetb1.keras
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scenes import choose_places, draw_scene, holds, keep, turn
from tqdm import tqdm

from affect.core.opencv import cv2
from affect.core.rng import rng_for
from affect.data.images.cropping import crop_square
from affect.evaluation import metrics
from affect.inference.detection import FaceDetector
from affect.inference.faces import SCALE
from affect.models import backend
from affect.models.predictors import Predictor, open_predictor

WIDTH, HEIGHT, BATCH = 1280, 720, 64


@dataclass(frozen=True)
class Condition:
    """How people look: sides of their squares in pixels, share outside of the scene, and what is done to them."""

    name: str
    faces: int
    sides: tuple[int, int] = (90, 300)
    alter: Callable[[np.ndarray, int], np.ndarray] = keep
    outside: float = 0.0


@dataclass
class Crops:
    """Each person's true square and what was found, as a network takes them, and the truth."""

    true: list[np.ndarray] = field(default_factory=list)
    found: list[np.ndarray | None] = field(default_factory=list)
    truth: list[tuple[int, float, float]] = field(default_factory=list)
    false: int = 0


def turned(low: float, high: float) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return what turns each person by another angle, to either side."""

    def alter(image: np.ndarray, id: int) -> np.ndarray:
        draws = rng_for(0, "turn", id)
        return turn(image, draws.uniform(low, high) * draws.choice([-1, 1]))

    return alter


CONDITIONS = (
    Condition("whole, turned by at most 30 degrees", 1000, alter=turned(0, 30)),
    Condition("upright", 400),
    Condition("upright, squares of 36 to 72 px", 400, sides=(36, 72)),
    Condition("turned by 30 to 45 degrees", 200, alter=turned(30, 45)),
    Condition("turned by 45 to 60 degrees", 200, alter=turned(45, 60)),
    Condition("a quarter outside of the scene", 200, outside=0.25),
    Condition("dark (a fifth of the light)", 200, alter=lambda image, _: (image * 0.2).astype(np.uint8)),
    Condition("blurred (sigma 4 % of the side)", 200, alter=lambda image, _: blur(image, 0.04)),
)


def main() -> None:
    """Print a row for each condition."""
    backend.set_up()
    network, detector = open_predictor(Path(sys.argv[1])), FaceDetector()
    print("| people | faces | found | false | accuracy, true | found | missed as wrong | CCC, true | found |")
    print("|---|---|---|---|---|---|---|---|---|")
    for condition in CONDITIONS:
        print(describe(condition.name, collect(condition, network.image_size, detector), network), flush=True)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian, whose deviation is a share of the side."""
    return cv2.GaussianBlur(image, (0, 0), sigma * len(image))


def collect(condition: Condition, size: int, detector: FaceDetector) -> Crops:
    """Draw scenes until there are enough people."""
    crops, first_id = Crops(), 1_000_000
    with tqdm(total=condition.faces, desc=condition.name, disable=None) as bar:
        while len(crops.truth) < condition.faces:
            places = choose_places(WIDTH, HEIGHT, condition.sides, first_id, condition.outside)
            scene = draw_scene(WIDTH, HEIGHT, places, first_id, condition.alter)
            found = [face.box for face in detector.detect(scene.image)]
            for face, square in zip(scene.faces, scene.squares, strict=True):
                own = [box for box in found if holds(square, box)]
                crops.true.append(crop_square(scene.image, square, size))
                crops.found.append(crop_square(scene.image, own[0], size, SCALE) if own else None)
                crops.truth.append((face.expression, face.valence, face.arousal))
            crops.false += sum(not any(holds(square, box) for square in scene.squares) for box in found)
            first_id += len(places)
            bar.update(len(places))
    return crops


def describe(name: str, crops: Crops, network: Predictor) -> str:
    """Return a row of the table. The CCCs are of valence and arousal."""
    truth = np.array(crops.truth)
    seen = np.array([image is not None for image in crops.found])
    accuracy, ccc = score(network, crops.true, truth)
    cells = [name, str(len(truth)), f"{seen.mean():.3f}", str(crops.false), f"{accuracy:.3f}"]
    if seen.any():
        own, own_ccc = score(network, [image for image in crops.found if image is not None], truth[seen])
        cells += [f"{own:.3f}", f"{own * seen.mean():.3f}", ccc, own_ccc]
    else:
        cells += ["-", "0.000", ccc, "-"]
    return f"| {' | '.join(cells)} |"


def score(network: Predictor, images: list[np.ndarray], truth: np.ndarray) -> tuple[float, str]:
    """Return the accuracy, and the CCCs as text."""
    table = network.predict(np.stack(images[start : start + BATCH]) for start in range(0, len(images), BATCH))
    accuracy = float((table["predicted_expression"].to_numpy() == truth[:, 0]).mean())
    predicted = table[["predicted_valence", "predicted_arousal"]].to_numpy().T
    cccs = [metrics.ccc(*pair) for pair in zip(truth[:, 1:].T, predicted, strict=True)]
    return accuracy, " ".join(f"{value:.3f}" for value in cccs)


if __name__ == "__main__":
    main()
