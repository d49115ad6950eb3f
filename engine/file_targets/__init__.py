"""Emotion targets for a file: constant or over time, solved for a track, written with head-room, measured."""
