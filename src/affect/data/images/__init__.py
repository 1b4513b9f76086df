"""Pictures: read, crop, pad and resize, alter, lay out on a sheet."""
