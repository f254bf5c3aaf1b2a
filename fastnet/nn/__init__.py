"""The parts of a network: costs, activations, optimizers, initial weights."""
