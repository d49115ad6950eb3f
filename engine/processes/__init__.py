"""Shared by the processes of `play`: typed messages, pipes, the ring buffer, priorities, CPU load."""
