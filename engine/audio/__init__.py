"""Audio files and samples: decode, check, hold, resample; measure loudness and true peaks."""
