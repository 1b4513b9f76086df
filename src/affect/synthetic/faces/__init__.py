"""Drawn faces: a parametric face whose landmarks, folds and features are moved by FACS action units."""

from affect.synthetic.faces.anatomy import ACTION_UNITS
from affect.synthetic.faces.expressions import EXPRESSION_MOMENTS
from affect.synthetic.faces.face import Face, draw_face

__all__ = ["ACTION_UNITS", "EXPRESSION_MOMENTS", "Face", "draw_face"]
