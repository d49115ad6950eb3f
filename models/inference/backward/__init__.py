"""The network's backward pass for explanations: gradients of the seven features, all at once and without autograd."""
