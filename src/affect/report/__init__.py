"""From the tables of a run to plots and pages. May import every room but synthetic."""
