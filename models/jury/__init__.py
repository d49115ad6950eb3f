"""Judges: models that took no part in training, explaining or solving, and predict what steering really moved."""
