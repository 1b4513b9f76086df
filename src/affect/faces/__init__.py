"""Drawn faces: a parametric face whose landmarks, folds and features are moved by FACS action units."""

from affect.faces.anatomy import ACTION_UNITS
from affect.faces.expressions import EXPRESSION_MOMENTS
from affect.faces.face import Face, draw_face

__all__ = ["ACTION_UNITS", "EXPRESSION_MOMENTS", "Face", "draw_face"]
