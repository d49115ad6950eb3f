"""Block processors on arrays: faders, STFT mask filter, ramps, loudness match, limiter."""
