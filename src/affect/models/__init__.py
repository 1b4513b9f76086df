"""Backbones, the multi-task model, kernels, saved models, predictions. May import core and plumbing."""
