"""batch: predict, analyze, steer and render over libraries of tracks; its options, progress, estimate and report."""
