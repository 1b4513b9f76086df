"""How a training learns: what it minimises, by which optimiser, as params.yaml says."""
