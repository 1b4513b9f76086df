"""Which action units show an expression, and where they are seen.

Source: the prototypes of EMFACS (Friesen & Ekman, EMFACS-7, 1983); where a unit is seen, FACS (Ekman & Friesen 1978).
"""

from affect.core.labels import EXPRESSIONS

# Of contempt, on one side of the face.
EMFACS: dict[str, tuple[int, ...]] = {
    "neutral": (),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "fear": (1, 2, 4, 5, 20, 26),
    "disgust": (9, 10, 15),
    "anger": (4, 5, 7, 23),
    "contempt": (12, 14),
}
SEEN_AT: dict[int, tuple[str, ...]] = {
    **{1: ("brows",), 2: ("brows",), 4: ("brows",), 5: ("eyes",), 6: ("eyes", "cheeks"), 7: ("eyes",)},
    **{9: ("nose",), 10: ("mouth",), 12: ("mouth", "cheeks"), 14: ("mouth", "cheeks"), 15: ("mouth",)},
    **{20: ("mouth",), 23: ("mouth",), 26: ("mouth", "jaw")},
}
EXPECTED: dict[str, frozenset[str]] = {
    name: frozenset(region for unit in EMFACS[name] for region in SEEN_AT[unit]) for name in EXPRESSIONS
}
