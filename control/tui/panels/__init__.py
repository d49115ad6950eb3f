"""The parts of the terminal view, each a function from what is shown and a size to lines of text."""
