"""Drawn faces: a parametric face whose landmarks, folds and features are moved by FACS action units."""

from affect.synthetic.faces.face import Face, landmarks_at_rest, render_face
from affect.synthetic.faces.person.anatomy import ACTION_UNITS, MEAN_SHAPE
from affect.synthetic.faces.person.expressions import EXPRESSION_MOMENTS

__all__ = ["ACTION_UNITS", "EXPRESSION_MOMENTS", "MEAN_SHAPE", "Face", "landmarks_at_rest", "render_face"]
