"""Faces in photographs and videos, and what a network says of each.

from affect.inference import FacePredictor

predictor = FacePredictor("models/efficientnetb1.keras")
print(predictor.predict(image))
"""

from affect.inference.face_predictor import BLOCK, FACE_COLUMNS, FacePredictor

__all__ = ["BLOCK", "FACE_COLUMNS", "FacePredictor"]
