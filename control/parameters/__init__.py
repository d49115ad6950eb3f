"""What a parameter of a session is, and the rows of the table for snapshots and for targets."""
