"""Pages of the terminal view that take the place of its panels: the set list, the address."""
