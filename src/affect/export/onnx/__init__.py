"""ONNX, for ONNX Runtime: in Python, in browsers, on phones."""
