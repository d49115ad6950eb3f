"""Emotion targets while playing: faders estimated from the analysis, then corrected by the network."""
