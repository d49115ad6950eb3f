"""Figures, sounds and the HTML page of an explanation."""
