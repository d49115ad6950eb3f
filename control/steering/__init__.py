"""How a show is steered beyond single faders: snapshots, morphs, undo, cue points and targets, as values."""
