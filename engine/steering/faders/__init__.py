"""Decoupled faders: their masks, what they move, and several of them as one setting."""
