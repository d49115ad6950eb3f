"""Excerpts of a track, and predictions of them under gains of its segments, without torch."""
