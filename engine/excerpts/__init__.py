"""Stretches of a track, and what networks say of them under gains of its segments, without torch."""
