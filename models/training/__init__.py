"""One training run: settings, losses, loop, resumable state, cross-validation."""
