"""What the stages share: dataset layout, packed records, image transforms, models, metrics."""
