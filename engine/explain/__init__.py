"""Explanations: how much each segment raises or lowers each feature, and which of these effects are significant."""
