"""Emotions as targets: what is asked, over time, solved for a track, written with head-room, and measured."""
