"""The first step of an analysis: spectrogram and segments, made by another process while torch is imported."""
