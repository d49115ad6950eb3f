"""The first steps of an analysis: spectrogram and segments, made while torch is imported; then subsegments."""
