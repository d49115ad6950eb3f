"""What people hold: the command line, and OSC, MIDI and terminal on the one state of a running show."""
