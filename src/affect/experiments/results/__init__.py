"""What experiments come to: tables, means over seeds and folds, pooled predictions, learning curves."""
