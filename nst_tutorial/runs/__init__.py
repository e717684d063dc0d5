"""A run that lasts: files in and out, Ctrl-C, checkpoints, provenance and rerun, tiles, memory."""
