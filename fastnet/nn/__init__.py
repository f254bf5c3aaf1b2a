"""What a network is made of: costs, activations, optimizers, initial weights."""
