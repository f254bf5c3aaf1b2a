"""A spec of ``fit_many``, and the network that it has to be."""

import fastnet

BASE = {"sizes": [784, 12, 10], "epochs": 2, "mini_batch_size": 10, "eta": 0.5, "seed": 1}


def alone(spec, training, evaluation):
    """The network and the history of a spec, by the two calls that it stands for."""
    of_network = ("sizes", "cost", "output", "dtype", "seed", "hidden", "initializer")
    network = fastnet.Network(**{name: spec[name] for name in of_network if name in spec})
    options = {name: value for name, value in spec.items() if name not in of_network}
    recorded = "monitor_evaluation_cost" not in options
    options = {"monitor_evaluation_accuracy": recorded, "verbose": False, **options}
    return network, network.SGD(training, evaluation_data=evaluation, **options)
