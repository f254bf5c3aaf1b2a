"""To look into a training step: its numbers, and a check of the gradient."""
