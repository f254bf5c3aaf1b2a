"""For learners: the numbers of a training step, and a check of the gradient."""
