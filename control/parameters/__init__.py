"""All OSC addresses: the table of parameters, its rows, patterns of addresses. A new address is a new row."""
