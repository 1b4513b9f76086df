"""All that is measured of one network's maps, as numbers with intervals and as pictures."""
