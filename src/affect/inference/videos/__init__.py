"""Videos: frames out of a file, faces followed from frame to frame, values smoothed over time."""

from affect.inference.videos.every import Every
from affect.inference.videos.predicting import predict_video
from affect.inference.videos.reading import UnusableVideoError, Video, is_video
from affect.inference.videos.smoothing import SMOOTHED

__all__ = ["SMOOTHED", "Every", "UnusableVideoError", "Video", "is_video", "predict_video"]
