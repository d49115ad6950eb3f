"""Emotions as targets of a file: what is asked, over time, solved for a track, written with head-room, measured."""
