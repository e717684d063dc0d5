"""Studies: grids of settings painted here or on a cluster, and drawn on one sheet."""
