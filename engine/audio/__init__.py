"""Audio in: decode files, check them, hold and measure samples."""
