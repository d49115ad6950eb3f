"""Audio output devices: each a process that copies the ring buffer to a sound API."""
