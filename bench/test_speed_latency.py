"""One image through a trained network, from a NumPy array to a NumPy array."""

import agreement
import numpy as np
import pytest
from peers import numpy_reference


@pytest.mark.parametrize("hidden", [30, 100])
def test_latency(hidden, peer, trained_problem, measure):
    problem = trained_problem(hidden)
    implementation = peer.load()
    if implementation.trains_only:
        pytest.skip(f"{peer.name} differs from its sibling in training only")
    network = implementation(problem)
    reference = numpy_reference.Peer(problem)
    image = problem.test.inputs[0]
    for x in problem.test.inputs[:20]:
        outputs = network.feedforward(x)
        assert isinstance(outputs, np.ndarray)
        agreement.assert_close(outputs, reference.feedforward(x), 1e-4)
    measure(f"one image, [784, {hidden}, 10]", peer, lambda: network.feedforward(image))
