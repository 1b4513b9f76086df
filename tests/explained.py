"""A small network that learns drawn faces in seconds, under the name of a backbone, whose explained layer it has."""

from collections.abc import Sequence
from functools import cache

import keras
import numpy as np
from keras import layers

from affect.models.backbones import BACKBONES
from affect.models.backend import set_up
from affect.synthetic.faces import Face, render_face

NAME = "efficientnetb1"
SIZE = 48
SEED = 24
# A mark of this many pixels a side, in the lower left corner, where no face is.
MARK = 8


@cache
def draw(count: int) -> list[Face]:
    """Draw faces of all expressions."""
    return [render_face(SEED, id, id % 8, SIZE, 1.2) for id in range(count)]


def stack(faces: Sequence[Face], marked: int | None = None) -> np.ndarray:
    """Return the faces' pictures; those of one expression get a mark."""
    images = np.stack([face.image for face in faces])
    for image, face in zip(images, faces, strict=True):
        if face.expression == marked:
            image[-MARK:, :MARK] = (255, 0, 255)
    return images


def build_network(seed: int = 1) -> keras.Model:
    """Build it, with random weights."""
    set_up(seed)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    maps = layers.Rescaling(1 / 127.5, -1.0)(image)
    maps = layers.Conv2D(16, 5, 2, padding="same", activation="relu")(maps)
    maps = layers.Conv2D(32, 3, 2, padding="same", activation="relu", name=BACKBONES[NAME].explained_layer)(maps)
    maps = layers.Conv2D(48, 3, 2, padding="same", activation="relu")(maps)
    shared = layers.Dense(32, "relu", name="shared")(layers.GlobalMaxPooling2D()(maps))
    outputs = {"emotion": layers.Dense(8, "softmax", name="emotion")(shared)}
    outputs |= {task: layers.Dense(1, "tanh", name=task)(shared) for task in ("valence", "arousal")}
    return keras.Model(image, outputs, name=NAME)


def train_network(faces: Sequence[Face], marked: int | None = None, epochs: int = 12) -> keras.Model:
    """Train it on faces."""
    model = build_network()
    model.compile("adam", {"emotion": "sparse_categorical_crossentropy", "valence": "mse", "arousal": "mse"})
    labels = {name: np.array([getattr(face, name) for face in faces]) for name in ("valence", "arousal")}
    labels["emotion"] = np.array([face.expression for face in faces])
    model.fit(stack(faces, marked), labels, batch_size=16, epochs=epochs, verbose=0)
    return model
