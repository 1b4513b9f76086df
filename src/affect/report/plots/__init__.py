"""Plots as SVG, the same bytes for the same data."""
