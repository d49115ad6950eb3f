"""Work over libraries of tracks: sources, storage, journal, executors, and the loop that keeps them going."""
