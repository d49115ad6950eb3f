"""Judges: models that took no part in training, explaining or solving, by which steering is evaluated."""
