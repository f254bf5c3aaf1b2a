"""One epoch of stochastic gradient descent on 50,000 digits, mini-batches of ten."""

import agreement
import pytest

FLOOR = 0.90  # of the test images, after two epochs or more


@pytest.mark.parametrize("hidden", [30, 100])
def test_epoch(hidden, peer, problem, measure):
    start = problem(hidden)
    implementation = peer.load()
    trainer = implementation(start)
    trainer.prepare_to_train()
    trainer.epoch()
    measure(f"one epoch, [784, {hidden}, 10]", peer, trainer.epoch, part=trainer.part)

    if peer.name == "fastnet":
        agreement.assert_kernels_train_like_reference(start)
    if trainer.part < 1:
        agreement.assert_loop_trains_like_reference(start, implementation)
    else:
        assert trainer.correct() >= FLOOR * len(start.test)
