"""What the scripts in src/ share, in rooms.

A room imports only rooms on lower lines; rooms on one line do not know each other; a stage lists its script and the
rooms it uses, except plumbing.

    report/    tables -> plots -> pages                   |  explanation/ what a network looks at, and its test
    synthetic/ drawn faces, pretraining on them           |  experiments/ many experiments: read, compare, run
               export/       files that run without Keras (on the same line)
               inference/    faces in photographs (on the same line)
    training/  copies, batches, recipe, fit, resume     |  evaluation/  metrics, intervals, comparison
    models/    backbones, multi-task model, saved files   |  data/        a dataset: read, check, split
    core/      what passes from stage to stage: labels, records, predictions, seeds, atomic files
    plumbing/  how a stage runs: params, paths, lock, versions, workers; it never changes a result
"""

import os

# ONNX Runtime's Linux wheel reports its use to its maker, over the network, unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
