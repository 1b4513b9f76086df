"""Which images are used, which stay together, and on which side of the split they are."""
