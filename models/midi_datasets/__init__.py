"""Data sets of rated MIDI files, rendered in many instruments: VGMIDI, EMOPIA and POP909."""
