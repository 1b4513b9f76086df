"""The pages of the pipelines that are more than the experiment, and how `make report` joins them to its own."""
