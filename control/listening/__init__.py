"""A blind listening test to take along: excerpts, a page that works without a server, and what its answers say."""
