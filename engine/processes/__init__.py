"""What the live processes share: typed messages, pipes, the ring buffer, priorities, CPU load."""
