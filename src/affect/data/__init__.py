"""A dataset: read, check, find duplicates, split. May import core and plumbing."""
