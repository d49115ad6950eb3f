"""What is done with the sound: reading, segments, explanations, gains, mixing, rendering."""
