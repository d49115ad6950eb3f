"""The networks' forward pass in NumPy: predictions without torch, which takes seconds to import."""
