"""From the tables of a run to plots and pages. Imports every room below: evaluation, training, data, models, core."""
