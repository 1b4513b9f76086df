"""A dataset: read, check, find duplicates, split, augment. May import core and plumbing."""
