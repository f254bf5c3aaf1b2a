"""Classifying the 10,000 test images with a trained network, and counting the correct ones."""

import pytest
from peers import numpy_reference


@pytest.mark.parametrize("hidden", [30, 100])
def test_evaluation(hidden, peer, trained_problem, measure):
    problem = trained_problem(hidden)
    implementation = peer.load()
    if implementation.trains_only:
        pytest.skip(f"{peer.name} differs from its sibling in training only")
    network = implementation(problem)
    expected = numpy_reference.Peer(problem).correct()
    assert expected >= 0.90 * len(problem.test)
    assert abs(network.correct() - expected) <= 3  # rounding may turn a close decision
    measure(f"accuracy on 10,000, [784, {hidden}, 10]", peer, network.correct)
