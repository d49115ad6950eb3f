"""Decoupled faders: the masks of a track, their measured response, several of them solved as one setting."""
