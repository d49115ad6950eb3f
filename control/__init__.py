"""User interfaces: the command line, and terminal, web page, OSC and MIDI on the one state of a running show."""
