"""Everything about a person that is not the shape of the face: skin, eyes, hair, age, make-up, clothes.

Nothing here knows the expression: whatever a network could read from these draws would be chance.
"""

from dataclasses import dataclass

import numpy as np

from affect.synthetic.faces.painting.canvas import Colour, mix, scaled

_SKIN_TONES: tuple[Colour, ...] = (
    *((250, 222, 205), (240, 200, 172), (226, 178, 142), (205, 150, 110)),
    *((165, 112, 78), (122, 80, 55), (88, 57, 42), (60, 40, 32)),
)
_SKIN_NAMES = ("light", "medium", "dark")
_HAIR_COLOURS: tuple[Colour, ...] = (
    *((22, 20, 20), (40, 30, 26), (66, 46, 34), (96, 66, 44)),
    *((120, 86, 54), (176, 142, 96), (130, 66, 38), (196, 170, 126)),
)
_FAIR = 2.5
_GREY_HAIR: Colour = (160, 158, 156)
_IRIS_COLOURS: tuple[Colour, ...] = (
    *((58, 36, 24), (82, 52, 32), (104, 74, 44)),
    *((96, 104, 70), (88, 120, 140), (110, 128, 142)),
)


@dataclass(frozen=True)
class Hair:
    """Lengths are in face units; `length` is how far below the eyes the hair reaches (negative: above)."""

    colour: Colour
    coverage: str
    hairline: float
    volume: float
    length: float
    fringe: float
    parting: float
    strands: float


@dataclass(frozen=True)
class Wear:
    """What is worn, if anything: frames, hats, scarves and clothes."""

    glasses: str
    frame_colour: Colour
    frame_width: float
    lens_size: float
    headwear: str
    headwear_colour: Colour
    clothes_colour: Colour
    collar: float


@dataclass(frozen=True)
class Looks:
    """How a person looks, whatever the face does. Strengths are in [0, 1], and `nose_height` is about 1.

    tone: of the skin before its own tint, in [0, 7): the place among `_SKIN_TONES`, the lightest first.
    """

    tone: float
    skin: Colour
    lips: Colour
    iris: Colour
    brow_thickness: float
    brow_strength: float
    age: float
    redness: float
    freckles: float
    stubble: float
    beard: float
    moustache: float
    lashes: float
    eye_shadow: float
    eye_shadow_colour: Colour
    lid_fold: float
    socket_depth: float
    nose_height: float
    gauntness: float
    hair: Hair
    wear: Wear

    @property
    def skin_tone(self) -> str:
        """Light, medium or dark, a third of the range of tones each."""
        return _SKIN_NAMES[int(self.tone * len(_SKIN_NAMES) / (len(_SKIN_TONES) - 1))]

    @property
    def facial_hair(self) -> str:
        """The most of beard, moustache and stubble that there is, or none."""
        present = {"beard": self.beard, "moustache": self.moustache, "stubble": self.stubble}
        return next((name for name, strength in present.items() if strength > 0), "none")


def sample_looks(rng: np.random.Generator) -> Looks:
    """Draw a person's looks."""
    tone = rng.uniform(0, len(_SKIN_TONES) - 1.001)
    skin = mix(_SKIN_TONES[int(tone)], _SKIN_TONES[int(tone) + 1], tone % 1)
    skin = _jitter(rng, skin, 6)
    age = rng.uniform(0, 1) ** 1.5
    # Facial hair and make-up, the length of hair and its loss go together as they mostly do.
    bearded = rng.random() < 0.5
    made_up = not bearded and rng.random() < 0.45
    return Looks(
        tone=tone,
        skin=skin,
        lips=_sample_lips(rng, skin, made_up),
        iris=_jitter(rng, _IRIS_COLOURS[rng.integers(len(_IRIS_COLOURS))], 10),
        brow_thickness=rng.uniform(0.05, 0.10) * (0.8 if made_up else 1.1),
        brow_strength=rng.uniform(0.55, 0.95),
        age=age,
        redness=rng.uniform(0, 1),
        freckles=rng.uniform(0, 1) if rng.random() < 0.15 else 0.0,
        stubble=rng.uniform(0.1, 0.8) if bearded and rng.random() < 0.7 else 0.0,
        beard=rng.uniform(0.6, 1) if bearded and rng.random() < 0.3 else 0.0,
        moustache=rng.uniform(0.5, 1) if bearded and rng.random() < 0.3 else 0.0,
        lashes=rng.uniform(0.5, 1) if made_up else rng.uniform(0, 0.35),
        eye_shadow=rng.uniform(0.1, 0.6) if made_up else 0.0,
        eye_shadow_colour=_jitter(rng, (100, 70, 90), 40),
        lid_fold=rng.uniform(0, 1),
        socket_depth=rng.uniform(0.3, 1),
        nose_height=rng.uniform(0.7, 1.25),
        gauntness=rng.uniform(0, 1),
        hair=_sample_hair(rng, age, short=bearded, tone=tone),
        wear=_sample_wear(rng),
    )


def _jitter(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.uniform(-spread, spread, 3), 0, 255)
    return (float(red), float(green), float(blue))


def _sample_lips(rng: np.random.Generator, skin: Colour, made_up: bool) -> Colour:
    lips = mix(scaled(skin, 0.82), (170, 70, 75), rng.uniform(0.15, 0.45))
    return mix(lips, _jitter(rng, (175, 35, 60), 35), rng.uniform(0.2, 0.8)) if made_up else lips


def _sample_hair(rng: np.random.Generator, age: float, short: bool, tone: float) -> Hair:
    # Fair hair comes with fair skin.
    shades = len(_HAIR_COLOURS) if tone < _FAIR else 3
    colour = _jitter(rng, _HAIR_COLOURS[rng.integers(shades)], 8)
    grey = np.clip(rng.normal(1.6 * age - 0.95, 0.3), 0, 1)
    kinds = ("full", "receding", "bald") if short else ("full",)
    coverage = str(rng.choice(kinds, p=(0.7, 0.18, 0.12) if short else (1.0,)))
    lengths = (-0.6, 0.1) if short or rng.random() < 0.3 else (0.2, 2.6)
    return Hair(
        colour=mix(colour, _GREY_HAIR, float(grey)),
        coverage=coverage,
        hairline=rng.uniform(-0.98, -0.72),
        volume=rng.uniform(0.03, 0.28),
        length=rng.uniform(*lengths),
        fringe=rng.uniform(0.3, 1) if rng.random() < 0.25 else 0.0,
        parting=rng.uniform(-0.6, 0.6),
        strands=rng.uniform(0.1, 0.35),
    )


def _sample_wear(rng: np.random.Generator) -> Wear:
    dark = rng.random() < 0.7
    return Wear(
        glasses=str(rng.choice(("none", "clear", "dark"), p=(0.8, 0.17, 0.03))),
        frame_colour=_jitter(rng, (35, 30, 30) if dark else (150, 120, 80), 25),
        frame_width=rng.uniform(0.015, 0.038),
        lens_size=rng.uniform(0.24, 0.33),
        headwear=str(rng.choice(("none", "cap", "scarf"), p=(0.87, 0.08, 0.05))),
        headwear_colour=_jitter(rng, (rng.uniform(20, 220),) * 3, 45),
        clothes_colour=_jitter(rng, (rng.uniform(20, 230),) * 3, 35),
        collar=rng.uniform(0, 1),
    )
