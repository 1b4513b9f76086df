"""Predictions as a table: the one layout that evaluation writes and prediction shares."""

from affect.core.labels import EXPRESSIONS

PROBABILITIES = [f"p_{name}" for name in EXPRESSIONS]
PREDICTED = ["predicted_expression", *PROBABILITIES, "predicted_valence", "predicted_arousal"]
COLUMNS = [
    "id",
    "expression",
    "predicted_expression",
    *PROBABILITIES,
    "valence",
    "predicted_valence",
    "arousal",
    "predicted_arousal",
]

# More digits would only be noise of the processor's arithmetic.
DECIMALS = 6
