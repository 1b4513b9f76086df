"""Print the seconds that the package fer takes for a video, after its first frame: `python fer_loop.py VIDEO`.

It runs in an environment of its own, since fer needs an older OpenCV and takes Keras as TensorFlow has it:
pip install fer==25.10.3 "opencv-contrib-python<5" "moviepy<2" "setuptools<80"
"""

import sys
import time

import cv2
from fer.fer import FER

detector = FER()
video = cv2.VideoCapture(sys.argv[1])
frames, faces, started = 0, 0, 0.0
while True:
    read, image = video.read()
    if not read:
        break
    found = detector.detect_emotions(image)
    frames, faces = frames + 1, faces + len(found)
    started = started or time.perf_counter()
print(time.perf_counter() - started, faces / frames)
