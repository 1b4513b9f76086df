"""Drawn faces and pretraining on them; not the subject, so skip it. May import every room but report."""
