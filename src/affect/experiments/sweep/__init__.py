"""A sweep: which experiments it is made of, and how they are run."""
