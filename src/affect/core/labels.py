"""The tasks and their labels. The task `emotion` predicts the label `expression`, AffectNet's word for its classes."""

VALENCE_AROUSAL = ("valence", "arousal")
TASKS = ("emotion", *VALENCE_AROUSAL)

EXPRESSIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
# In every plot and picture.
EXPRESSION_COLOURS = dict(
    zip(
        EXPRESSIONS,
        ("#7f7f7f", "#bcbd22", "#1f77b4", "#17becf", "#9467bd", "#2ca02c", "#d62728", "#8c564b"),
        strict=True,
    )
)
# Columns with the share of annotators that chose each expression, where a dataset has their votes.
VOTES = [f"vote_{name}" for name in EXPRESSIONS]

# AffectNet's labels 8-10 are for images without one of the eight expressions (Mollahosseini et al. 2017, table 2).
EXCLUDED_EXPRESSIONS = {8: "none", 9: "uncertain", 10: "no_face"}

# AffectNet's mark for an unknown valence or arousal.
NOT_ANNOTATED = -2.0
