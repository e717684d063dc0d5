"""The plumbing: the backend, files, downloads, weights, the machine. It knows nothing of style."""
