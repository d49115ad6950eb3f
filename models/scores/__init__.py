"""Real scores (music21) arranged anew from the same seven parameters as composed music."""
