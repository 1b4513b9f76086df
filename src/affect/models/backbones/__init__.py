"""The backbones: a registry of them, and how one is built with its initial weights."""

from affect.models.backbones.building import IMAGENET, build_backbone
from affect.models.backbones.registry import BACKBONES, Backbone

__all__ = ["BACKBONES", "IMAGENET", "Backbone", "build_backbone"]
