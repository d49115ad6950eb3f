"""Symbolic music composed by rule from seven parameters in 0..1."""
