"""LiteRT, formerly TensorFlow Lite: on phones and small devices."""
