"""Solver of gain fields: models that are moved (listeners), basis gain fields (handles), decoupled fader masks."""
