"""Backbones, the multi-task model, kernels, saved models and their predictions. Imports core and plumbing."""
