"""The running show as it is kept on disk, and resumed after a crash."""
