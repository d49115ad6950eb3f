"""What the analysis of a track begins with: its spectrogram and its segments, made while torch is imported."""
