"""Fused TensorFlow kernels for training, and for features of frozen layers, where Keras composes many.

On another backend Keras's own are used. Results differ by rounding alone.
"""

from affect.models.kernels.conversion import clone_with_fused_ops, freeze_for_inference
from affect.models.kernels.fused_adam import FusedAdam, adam

__all__ = ["FusedAdam", "adam", "clone_with_fused_ops", "freeze_for_inference"]
