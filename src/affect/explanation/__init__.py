"""What a network looks at, and whether that is more than chance: maps, their test, regions of the face, features."""

from affect.explanation.explainer import METHODS, Explainer, Explanation, enlarge, explain_all, open_explainer

__all__ = ["METHODS", "Explainer", "Explanation", "enlarge", "explain_all", "open_explainer"]
