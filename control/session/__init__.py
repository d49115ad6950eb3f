"""A running show: its state in one place, what setting, messages and meters do to it, presets, recording."""
