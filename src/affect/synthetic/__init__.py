"""Drawn faces and pretraining on them; not the subject, so a reader may skip it. Imports every room below."""
