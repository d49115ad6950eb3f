"""From MIDI to labelled audio: FluidSynth, recording chain, labelled sets, the demonstration track."""
