"""Where the faces of a picture are."""

from affect.inference.detection.detector import Face, FaceDetector

__all__ = ["Face", "FaceDetector"]
