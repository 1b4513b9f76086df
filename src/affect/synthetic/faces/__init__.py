"""Drawn faces: a parametric face whose landmarks, folds and features are moved by FACS action units."""

from affect.synthetic.faces.face import Face, render_face
from affect.synthetic.faces.person.anatomy import ACTION_UNITS
from affect.synthetic.faces.person.expressions import EXPRESSION_MOMENTS

__all__ = ["ACTION_UNITS", "EXPRESSION_MOMENTS", "Face", "render_face"]
