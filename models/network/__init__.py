"""The network as it is trained: log-frequency spectrogram, trunk, branches, receptive field."""
