"""Steered files: mask filter, loudness match or head-room, true-peak ceiling, tags."""
