"""What a show has beyond single faders: snapshots, morphs, undo, cue points and targets, as values."""
