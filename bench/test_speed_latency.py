"""One image through a trained network, from a NumPy array to a NumPy array."""

import agreement
import numpy as np
import pytest
from peers import PEERS, numpy_reference

SHARE = 0.19  # of MNIST's pixels that are not zero; the image that is timed has as many


def usual_image(inputs):
    """The image whose share of pixels other than zero is nearest to the usual one."""
    shares = np.count_nonzero(inputs, axis=1) / inputs.shape[1]
    return inputs[np.abs(shares - SHARE).argmin()]


def assert_predicts_like_reference(predict, problem):
    reference = numpy_reference.Peer(problem)
    for x in problem.test.inputs[:20]:
        outputs = predict(x)
        assert isinstance(outputs, np.ndarray)
        agreement.assert_close(outputs, reference.feedforward(x), 1e-4)


@pytest.mark.parametrize("hidden", [30, 100])
def test_latency(hidden, peer, trained_problem, measure):
    problem = trained_problem(hidden)
    implementation = peer.load()
    if implementation.trains_only:
        pytest.skip(f"{peer.name} differs from its sibling in training only")
    network = implementation(problem)
    assert_predicts_like_reference(network.feedforward, problem)
    image = usual_image(problem.test.inputs)
    measure(f"one image, [784, {hidden}, 10]", peer, lambda: network.feedforward(image))


@pytest.mark.parametrize("hidden", [30, 100])
@pytest.mark.parametrize("entry", PEERS[:1], ids=lambda entry: entry.name)
def test_predictor(hidden, entry, trained_problem, measure):
    problem = trained_problem(hidden)
    predict = entry.load()(problem).predictor()
    assert_predicts_like_reference(predict, problem)
    image = usual_image(problem.test.inputs)
    measure(f"one image through predictor(), [784, {hidden}, 10]", entry, lambda: predict(image))
