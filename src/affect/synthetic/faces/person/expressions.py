"""What a face of each expression does: its valence and arousal, and the action units that show them.

The combinations are the prototypes of EMFACS (Friesen & Ekman 1983), with accompaniments seen in photographs.
How strong each action unit is follows the valence and arousal drawn for the face, so both can be read from
the picture within a class too.
"""

from typing import NamedTuple

import numpy as np

from affect.core.labels import EXPRESSIONS
from affect.synthetic.faces.person.anatomy import ACTION_UNITS


class Moments(NamedTuple):
    """Mean and standard deviation of valence and arousal, both in [-1, 1]."""

    valence_mean: float
    valence_std: float
    arousal_mean: float
    arousal_std: float


EXPRESSION_MOMENTS: dict[str, Moments] = {
    "neutral": Moments(-0.025, 0.144, -0.019, 0.119),
    "happy": Moments(0.672, 0.168, 0.081, 0.150),
    "sad": Moments(-0.628, 0.231, -0.267, 0.132),
    "surprise": Moments(0.183, 0.179, 0.701, 0.149),
    "fear": Moments(-0.117, 0.072, 0.760, 0.160),
    "disgust": Moments(-0.684, 0.164, 0.446, 0.103),
    "anger": Moments(-0.426, 0.165, 0.554, 0.208),
    "contempt": Moments(-0.510, 0.190, 0.576, 0.122),
}
"""Label moments of AffectNet's validation set (Mollahosseini, Hasani & Mahoor 2017) for each expression."""


class Response(NamedTuple):
    """Intensity of an action unit at mean valence and arousal, and its gain a standard deviation of each."""

    base: float
    valence: float = 0.0
    arousal: float = 0.0


class Habit(NamedTuple):
    """What some faces add: with this probability, each action unit gains up to this intensity."""

    probability: float
    gains: dict[str, float]


_PROTOTYPES: dict[str, dict[str, Response]] = {
    "neutral": {
        **{"AU12": Response(0.0, 0.13), "AU15": Response(-0.02, -0.12), "AU4": Response(-0.02, -0.10)},
        **{"AU5": Response(0.02, 0.0, 0.28), "AU43": Response(0.03, 0.0, -0.2)},
    },
    "happy": {
        **{
            "AU12": Response(0.78, 0.2, 0.03),
            "AU6": Response(0.52, 0.22, 0.03),
            "AU25": Response(0.55, 0.25, 0.2),
        },
        **{"AU26": Response(0.2, 0.0, 0.28), "AU5": Response(0.0, 0.0, 0.22)},
    },
    "sad": {
        **{
            "AU1": Response(0.65, -0.17, 0.05),
            "AU4": Response(0.45, -0.15, 0.08),
            "AU15": Response(0.6, -0.2),
        },
        **{
            "AU43": Response(0.28, 0.0, -0.2),
            "AU25": Response(-0.1, 0.0, 0.2),
            "AU17": Response(0.15, -0.15),
        },
    },
    "surprise": {
        **{
            "AU1": Response(0.75, 0.0, 0.15),
            "AU2": Response(0.75, 0.0, 0.15),
            "AU5": Response(0.6, 0.0, 0.25),
        },
        **{
            "AU26": Response(0.6, 0.0, 0.25),
            "AU25": Response(0.7, 0.0, 0.2),
            "AU27": Response(-0.05, 0.0, 0.3),
        },
        **{"AU12": Response(0.1, 0.2), "AU4": Response(-0.02, -0.1)},
    },
    "fear": {
        **{
            "AU1": Response(0.8, -0.08, 0.1),
            "AU2": Response(0.4, 0.1, 0.1),
            "AU4": Response(0.6, -0.16, 0.05),
        },
        **{
            "AU5": Response(0.75, 0.0, 0.22),
            "AU20": Response(0.7, -0.12, 0.1),
            "AU26": Response(0.35, 0.0, 0.2),
        },
        "AU25": Response(0.6, 0.0, 0.2),
    },
    "disgust": {
        **{"AU9": Response(0.65, -0.2, 0.08), "AU10": Response(0.6, -0.18), "AU15": Response(0.4, -0.15)},
        **{"AU25": Response(0.2, 0.0, 0.22), "AU4": Response(0.2, -0.1), "AU7": Response(0.25, 0.0, 0.18)},
        "AU17": Response(0.2, 0.0, -0.15),
    },
    "anger": {
        **{
            "AU4": Response(0.8, -0.16, 0.05),
            "AU5": Response(0.4, 0.0, 0.2),
            "AU7": Response(0.55, -0.08, 0.08),
        },
        **{
            "AU23": Response(0.65, -0.15, -0.08),
            "AU25": Response(0.0, 0.0, 0.2),
            "AU26": Response(-0.15, 0.0, 0.15),
        },
    },
    "contempt": {
        **{
            "AU12": Response(0.55, 0.05, 0.15),
            "AU14": Response(0.7, -0.2, 0.05),
            "AU5": Response(0.1, 0.0, 0.25),
        },
        "AU7": Response(0.15, -0.12, 0.1),
    },
}

_HABITS: dict[str, tuple[Habit, ...]] = {
    "neutral": (Habit(0.15, {"AU25": 0.5, "AU26": 0.25}),),
    "happy": (Habit(0.08, {"AU1": 0.5, "AU2": 0.5}), Habit(0.1, {"AU7": 0.4})),
    "sad": (
        Habit(0.25, {"AU17": 0.7}),
        Habit(0.12, {"AU25": 0.7, "AU26": 0.4}),
        Habit(0.1, {"AU7": 0.5, "AU6": 0.4}),
    ),
    "surprise": (Habit(0.1, {"AU12": 0.4}),),
    "fear": (Habit(0.12, {"AU27": 0.5}), Habit(0.1, {"AU10": 0.4})),
    "disgust": (Habit(0.3, {"AU17": 0.6}), Habit(0.15, {"AU26": 0.5, "AU25": 0.6}), Habit(0.2, {"AU6": 0.4})),
    "anger": (
        Habit(0.25, {"AU25": 1.0, "AU26": 0.8, "AU10": 0.5}),
        Habit(0.1, {"AU25": 1.0, "AU27": 0.8, "AU10": 0.4}),
        Habit(0.25, {"AU17": 0.6}),
        Habit(0.1, {"AU9": 0.4}),
    ),
    "contempt": (Habit(0.2, {"AU17": 0.3}), Habit(0.15, {"AU4": 0.3})),
}

# Every face's habits of the moment: talking, squinting, blinking, a mobile brow.
_ANY_FACE = (
    Habit(0.12, {"AU25": 0.5, "AU26": 0.2}),
    Habit(0.1, {"AU7": 0.4}),
    Habit(0.03, {"AU43": 1.0}),
    Habit(0.1, {"AU1": 0.25, "AU2": 0.3}),
    Habit(0.1, {"AU4": 0.3}),
)
_INTENSITY_NOISE = 0.08
_EXPRESSIVENESS = (0.85, 1.2)


class ShownExpression(NamedTuple):
    """Valence and arousal in [-1, 1], and the intensity in [0, 1] of all `ACTION_UNITS`, in their order."""

    valence: float
    arousal: float
    action_units: dict[str, float]


def sample_expression(rng: np.random.Generator, expression: int, expressiveness: float = 1.0) -> ShownExpression:
    """Draw what a face of this expression (0-7, in the order of `EXPRESSIONS`) feels and does.

    `expressiveness` is a factor of the intensity of what shows the expression.

    Raises ValueError where the expression is not one of the eight.
    """
    if not 0 <= expression < len(EXPRESSIONS):
        raise ValueError(f"expression {expression} is not in 0-{len(EXPRESSIONS) - 1}")
    name = EXPRESSIONS[expression]
    moments = EXPRESSION_MOMENTS[name]
    valence = _truncated_normal(rng, moments.valence_mean, moments.valence_std)
    arousal = _truncated_normal(rng, moments.arousal_mean, moments.arousal_std)
    more_valence = (valence - moments.valence_mean) / moments.valence_std
    more_arousal = (arousal - moments.arousal_mean) / moments.arousal_std
    units = _respond(rng, name, (more_valence, more_arousal), expressiveness)
    _add_habits(rng, units, _HABITS[name] + _ANY_FACE)
    return ShownExpression(valence, arousal, _by_side(rng, units, one_sided=name == "contempt"))


def _truncated_normal(rng: np.random.Generator, mean: float, std: float) -> float:
    """A normal draw that lies in [-1, 1]: redrawn, not clipped, so that no value piles up at the ends."""
    while True:
        value = rng.normal(mean, std)
        if -1 <= value <= 1:
            return float(value)


def _respond(rng: np.random.Generator, name: str, more: tuple[float, float], expressiveness: float) -> dict[str, float]:
    persons = expressiveness * rng.uniform(*_EXPRESSIVENESS)
    more_valence, more_arousal = more
    units = {}
    for unit, response in _PROTOTYPES[name].items():
        mean = response.base + response.valence * more_valence + response.arousal * more_arousal
        # Noise scales with intensity: a muscle that does not take part stays at rest.
        units[unit] = max(0.0, mean) * persons * (1 + 2 * _INTENSITY_NOISE * rng.standard_normal())
    return units


def _add_habits(rng: np.random.Generator, units: dict[str, float], habits: tuple[Habit, ...]) -> None:
    for habit in habits:
        if rng.random() < habit.probability:
            share = rng.uniform(0.4, 1.0)
            for unit, gain in habit.gains.items():
                units[unit] = units.get(unit, 0.0) + share * gain


def _by_side(rng: np.random.Generator, units: dict[str, float], one_sided: bool) -> dict[str, float]:
    """Split AU12 and AU14 between the sides: unevenly as on any face, or nearly all on one of them."""
    stronger, weaker = rng.permutation(["L", "R"])
    lesser = rng.uniform(0.0, 0.2) if one_sided else rng.uniform(0.8, 1.0)
    intensities = dict.fromkeys(ACTION_UNITS, 0.0)
    for unit, value in units.items():
        shares = {unit: 1.0} if unit in intensities else {unit + stronger: 1.0, unit + weaker: lesser}
        for side, share in shares.items():
            intensities[side] = float(np.clip(value * share, 0.0, 1.0))
    return intensities
