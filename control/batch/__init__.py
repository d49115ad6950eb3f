"""The command batch: its options, progress, estimate and report."""
