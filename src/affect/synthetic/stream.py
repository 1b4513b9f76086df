"""An endless stream of drawn faces with everything that is known about them."""

from dataclasses import dataclass

import numpy as np

from affect.core.labels import EXPRESSIONS
from affect.core.opencv import cv2
from affect.core.rng import hash_seed
from affect.synthetic.faces import render_face


@dataclass(frozen=True)
class SyntheticFaces:
    """Batches of faces that no sample holds: their seed is made from `seed` and `purpose`, not `seed` itself.

    A batch is fixed by these attributes and its step; expressions take turns.
    """

    seed: int
    purpose: str
    size: int
    batch_size: int
    expressiveness: float = 1.0

    def batch(self, step: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the batch of a step: images (count, size, size, 3) uint8 RGB, and targets by task.

        emotion: (count,) 0-7; valence, arousal: (count, 1) in [-1, 1]; action_units: (count, 20) in [0, 1];
        landmarks: (count, 136), x and y of 68 points from the picture's middle in half sides.
        """
        # The other processes already fill the cores.
        cv2.setNumThreads(1)
        seed = hash_seed(self.seed, "drawn stream", self.purpose)
        ids = range(step * self.batch_size, (step + 1) * self.batch_size)
        faces = [render_face(seed, id, id % len(EXPRESSIONS), self.size, self.expressiveness) for id in ids]
        targets = {
            "emotion": np.array([face.expression for face in faces]),
            "valence": np.array([[face.valence] for face in faces], np.float32),
            "arousal": np.array([[face.arousal] for face in faces], np.float32),
            "action_units": np.array([list(face.action_units.values()) for face in faces], np.float32),
            "landmarks": np.array([face.landmarks.reshape(-1) * 2 / self.size - 1 for face in faces], np.float32),
        }
        return np.stack([face.image for face in faces]), targets
