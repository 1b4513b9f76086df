"""From the painted head to a photograph: pose, crop, background, exposure, noise."""
