"""The parts of a face, which of them an expression moves, and how much of a map lies on each."""
