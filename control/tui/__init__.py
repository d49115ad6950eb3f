"""The terminal view of `play`."""
