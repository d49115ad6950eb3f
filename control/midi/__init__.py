"""MIDI control changes: ports, the mapping file, decoding, learning by moving a control."""
