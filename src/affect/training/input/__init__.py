"""From stored images to batches: labels and weights, sampling, altered copies, mixtures."""
