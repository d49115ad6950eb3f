"""Trained weights, each with a card and under their own licence (see LICENSE-WEIGHTS)."""
