"""A blind listening test: pairs of excerpts, a page that works without a server, evaluation of the answers."""
