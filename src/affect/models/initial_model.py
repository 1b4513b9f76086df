"""Start from a trained model: its backbone, and its heads where they are those that are to be trained."""

import sys
from collections.abc import Collection
from pathlib import Path

import keras

from affect.core.places import kind_of
from affect.models.backbones.initial_weights import set_weights
from affect.models.card import StartedFrom
from affect.models.saved_model import load_model, read_card
from affect.plumbing import paths
from affect.plumbing.errors import InputError

ENDING = ".keras"


def describe_start(weights: str | None) -> StartedFrom | None:
    """Return what a card says of the saved model that model.weights names; None where it names none.

    Raises InputError where it can't be read.
    """
    if weights is None or not weights.endswith(ENDING):
        return None
    file = Path(weights)
    if not file.is_file():
        there = f"is {kind_of(file)}, and no file" if file.exists() else "no such file"
        raise InputError(f"model.weights: {file}: {there}")
    card = read_card(file)
    return StartedFrom(file=weights, md5=paths.file_md5(file), dataset=card.trained_on.dataset if card else None)


def start_from(model: keras.Model, file: Path, backbone: Collection[str]) -> None:
    """Give a model the weights of a saved one, layer by layer, in place.

    backbone: the names of the layers that both must have. What follows them, of tasks that the saved one did not learn
    or of another width, stays as it is, and is named on standard error. Raises InputError for another backbone.
    """
    saved = load_model(file)
    names = {layer.name: layer for layer in saved.layers}
    left = []
    for layer in model.layers:
        shapes = [weight.shape for weight in layer.weights]
        if not shapes:
            continue
        source = names.get(layer.name)
        if source is None or [weight.shape for weight in source.weights] != shapes:
            if layer.name in backbone:
                raise InputError(
                    f"model.weights: {file} is no {model.name} of this image size and pooling: it has no "
                    f"layer {layer.name} of that shape"
                )
            left.append(layer.name)
            continue
        set_weights(layer, source.get_weights())
    if left:
        print(f"train: {file} lacks {', '.join(left)} of these shapes, which start at random", file=sys.stderr)
