"""The parameters of a session, which are its OSC addresses: the table, its rows, patterns of addresses."""
