"""Pages of the terminal view that stand in the place of its panels: the set list, the address."""
