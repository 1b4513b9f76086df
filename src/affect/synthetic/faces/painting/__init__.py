"""The head as it is painted from the front, and how light falls on it."""
