"""Emotions as targets while it plays: fader settings, estimated from the analysis, then measured by the network."""
