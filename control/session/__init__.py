"""The state of a running show: the table of parameters, their values, presets, recording."""
