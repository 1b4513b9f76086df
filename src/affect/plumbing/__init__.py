"""How a stage runs: params, paths, locks, versions, workers. Never changes a result; no stage lists it."""
