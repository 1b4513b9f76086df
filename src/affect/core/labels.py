"""The eight expressions of AffectNet and its marks for what is not annotated."""

EXPRESSIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")

# AffectNet's labels 8-10 are for images without one of the eight expressions (Mollahosseini et al. 2017, table 2).
EXCLUDED_EXPRESSIONS = {8: "none", 9: "uncertain", 10: "no_face"}

NOT_ANNOTATED = -2.0
