"""Fader settings that bring about asked shifts of the emotions: estimated from the analysis, then measured."""
