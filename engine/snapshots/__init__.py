"""Snapshots of a steering (faders, targets, wet) and morphs between them, as values."""
