"""A dataset: read, check, find duplicates, split, augment. Imports core and plumbing."""
