"""Pictures: read, crop, pad and resize, lay out on a sheet."""
