"""Copies, batches, the recipe, cached features, fit, resume, curves. May import models, data, core and plumbing."""
