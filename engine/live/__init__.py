"""The player: it starts and supervises the processes that render, analyse and play."""
