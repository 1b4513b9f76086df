"""ONNX Runtime finds what OpenCV's own code for this network finds."""

import numpy as np
import pytest
from scenes import draw_scene

from affect.core.opencv import cv2
from affect.inference.detection import yunet
from affect.inference.detection.yunet import YuNet, find_model
from affect.plumbing.errors import InputError

GROUP = [(40, 60, 96), (200, 300, 160), (430, 40, 220), (800, 420, 120), (1100, 100, 150)]


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (317, 211), (640, 640)])
def test_faces_are_those_of_opencv(width: int, height: int) -> None:
    image = cv2.resize(draw_scene(1280, 720, GROUP).image, (width, height), interpolation=cv2.INTER_AREA)
    opencv = cv2.FaceDetectorYN.create(str(find_model()), "", (width, height), 0.6)
    _, expected = opencv.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert len(expected) > 1
    np.testing.assert_allclose(YuNet(0.6).detect(image), expected, atol=1e-3)


def test_no_face_is_no_row() -> None:
    assert YuNet(0.6).detect(np.zeros((64, 32, 3), np.uint8)).shape == (0, 15)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "_PACKAGE", "not_there")
    with pytest.raises(
        InputError, match="the face detector is not installed; run `make setup`, or `pip install --no-d"
    ):
        YuNet(0.6)
