"""A trained network made fast and put on a device: checkpoints, folding, fast kernels, batches."""
