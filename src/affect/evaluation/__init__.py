"""Metrics, their intervals, comparison and errors. Imports models, data, core and plumbing."""
