"""How a person or a program steers it: command line, presets, figures."""
