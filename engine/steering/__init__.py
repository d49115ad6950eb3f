"""Faders and targets that judges confirm: broad gain fields, solved with networks in the loop."""
