"""Maps as people see them: over faces, and over the mean face."""
