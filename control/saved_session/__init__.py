"""The show that is kept on the disk while it plays, and goes on after a crash."""
