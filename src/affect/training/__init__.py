"""Batches, cached features, fit, resume, curves. Imports models, data, core and plumbing."""
