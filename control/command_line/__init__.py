"""Reading the command line: plain lines quickly, all others by typer, and mistakes in one line."""
