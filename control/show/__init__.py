"""Snapshots, morphs, undo, cue points and targets of a show, as values."""
