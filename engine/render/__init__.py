"""Audio out: a steered file with tags, target loudness and true-peak ceiling."""
