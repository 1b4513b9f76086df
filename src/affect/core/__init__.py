"""What passes from stage to stage: labels, seeds, arrays, records, predictions, atomic files. May import plumbing."""
