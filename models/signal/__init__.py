"""Input and output of the network, without torch: click removal, level, log-spectrogram, soft limit of outputs."""
