"""Whether what a map marks is what the network's outputs rest on."""
