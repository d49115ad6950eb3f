"""Predicts: from a log-spectrogram to mid-level features and emotions; data, training and evaluation of networks."""
