"""Which segments each fader boosts and cuts (fader masks), and the solver of gain fields that finds them."""
