"""Metrics, their intervals, comparison and errors. May import models, data, core and plumbing."""
