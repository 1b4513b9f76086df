"""OpenCV with the same pixels on every x86 processor: neither Intel's IPP nor code that depends on the processor.

Import cv2 from here. IPP and the code for AVX2 round otherwise: with the kernels that IPP has for other processors, 10
to 14 of 300 drawn faces are not the same; without AVX2, 10.
"""

import os

# setUseOptimized turns IPP off in the calling thread alone.
os.environ["OPENCV_IPP"] = "disabled"

import cv2
from cv2.utils import logging

# OpenCV warns that IPP is disabled when it first looks.
_level = logging.setLogLevel(logging.LOG_LEVEL_ERROR)
cv2.setUseOptimized(False)
cv2.ipp.useIPP()
logging.setLogLevel(_level)

__all__ = ["cv2"]
