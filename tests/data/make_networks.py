"""Writes a pickled network and, if asked, what it holds and what further training makes of it.

    python -P tests/data/make_networks.py tests/data/network_0_2.pickle [tests/data/networks.json]

network_0_1.pickle was written by fastnet 0.1.0, network_0_2.pickle by 0.2; networks.json by both,
which agree. tests/test_pickles.py loads them.
"""

import json
import pickle
import sys

import numpy as np

import fastnet


def data():
    random = np.random.RandomState(3)  # whose numbers stay the same for ever
    X = random.randint(0, 256, (40, 9)).astype(np.uint8)
    return fastnet.Dataset(X, random.randint(0, 3, 40), scale=1 / 256)


def train(net, epochs):
    optimizer = fastnet.Momentum(0.9)
    net.SGD(data(), epochs, 4, 0.3, 0.1, optimizer=optimizer, dropout=0.2, verbose=False)


def values(net):
    return {
        "weights": [w.tolist() for w in net.weights],
        "biases": [b.tolist() for b in net.biases],
    }


def main(target, values_target=None):
    net = fastnet.Network([9, 7, 3], seed=5, hidden="tanh", n_threads=1)
    train(net, 3)
    net.note = {"trained on": "forty examples"}
    with open(target, "wb") as file:
        pickle.dump(net, file, protocol=4)
    kept = values(net)
    train(net, 2)
    if values_target is not None:
        with open(values_target, "w") as file:
            json.dump({"pickled": kept, "trained on": values(net)}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
