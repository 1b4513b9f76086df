"""Groups of images by what else is known of them: how they are divided, measured and compared."""
