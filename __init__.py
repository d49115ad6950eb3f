"""Moodfader: a fader for each perceptual quality of a finished recording, and the emotions it moves."""

__version__ = "0.7.0"
