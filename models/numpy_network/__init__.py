"""The networks' forward pass in NumPy: predictions without torch, whose import takes longer than a short prediction."""
