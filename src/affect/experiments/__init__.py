"""Many experiments: read, compare and run them. No stage imports this room."""
