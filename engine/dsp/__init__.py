"""Block processors on arrays: STFT mask filter that applies fader masks, ramps, loudness match, limiter."""
