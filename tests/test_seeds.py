"""Where seeds come from: given ones, and NumPy's global generator where none is given."""

import copy
import multiprocessing
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import fastnet
from fastnet import Dataset, Network, augment

# ruff: noqa: NPY002  # NumPy's global generator is what this is about

RANDOM = np.random.default_rng(2)
DATA = Dataset(RANDOM.random((30, 4)), np.arange(30) % 3)
SPEC = {"sizes": [4, 5, 3], "epochs": 2, "mini_batch_size": 5, "eta": 0.5}


@pytest.fixture(autouse=True)
def _global_generator_is_put_back():
    state = np.random.get_state()
    yield
    np.random.set_state(state)


def words():
    """The words that the next network without a seed is to draw."""
    return np.random.randint(0, 2**32, size=4, dtype=np.uint32)


def position():
    """Where NumPy's global generator stands."""
    kind, keys, place, *rest = np.random.get_state()
    return kind, keys.tolist(), place, *rest


def trained(net, epochs=2):
    net.SGD(DATA, epochs, 5, 0.5, dropout=0.2, verbose=False)
    return net


def saved(tmp_path):
    file = tmp_path / "net.json"
    Network([4, 5, 3], seed=1).save(file)
    return file


# ---- one network


def test_the_seed_of_the_book_s_figures_makes_two_runs_of_a_script_equal():
    def script():
        np.random.seed(12345678)
        first, second = Network([4, 5, 3]), Network([4, 5, 3], "quadratic")
        images = augment.rotate(Dataset(DATA.X, DATA.y), 20)
        fits = fastnet.fit_many([SPEC] * 2, DATA, verbose=False)
        return [*map(trained, (first, second)), images.X.tolist(), *(f.network for f in fits)]

    runs = script(), script()
    assert runs[0] == runs[1]
    assert runs[0][-1] != runs[0][-2]
    np.random.seed(12345679)
    assert trained(Network([4, 5, 3])) != runs[0][0]


@pytest.mark.parametrize("seed", [0, 12345678, [1, 2, 3]])
def test_the_seed_is_drawn_by_one_call_of_the_global_generator(seed):
    np.random.seed(seed)
    drawn = words()
    after = position()
    np.random.seed(seed)
    net = Network([4, 5, 3])
    assert position() == after
    twin = Network([4, 5, 3], seed=drawn)
    assert net == twin == Network([4, 5, 3], seed=drawn.tolist())
    assert trained(net) == trained(twin)  # and nothing more is drawn for the order
    assert position() == after


def test_a_seed_that_is_given_draws_nothing():
    before = position()
    trained(Network([4, 5, 3], seed=np.random.SeedSequence(1)))
    Network([4, 5, 3], seed=0).gradient_check(DATA)
    assert position() == before


def test_a_global_generator_of_another_kind_serves_too():
    np.random.set_state(np.random.RandomState(np.random.MT19937(7)).get_state())
    first = Network([4, 3])
    np.random.set_state(np.random.RandomState(np.random.MT19937(7)).get_state())
    assert Network([4, 3]) == first != Network([4, 3])


def test_a_refused_network_draws_nothing():
    before = position()
    for wrong in ({"cost": "mse"}, {"output": "relu"}, {"hidden": ["tanh"] * 2}, {"n_threads": 0}):
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))}"):
            Network([4, 5, 3], **wrong)
    assert position() == before


def test_a_subclass_that_draws_its_own_weights_draws_the_seed_when_it_trains():
    class Zeros(Network):
        def default_weight_initializer(self):
            pass

    before = position()
    net = Zeros([4, 5, 3])
    net.SGD(DATA, 0, 5, 0.5, verbose=False)
    assert position() == before
    trained(net)
    assert position() != before


# ---- load, copies, pickles


def test_load_draws_nothing_until_a_random_number_is_needed(tmp_path):
    file = saved(tmp_path)
    np.random.seed(5)
    before = position()
    net = fastnet.load(file)
    net.feedforward(DATA), net.accuracy(DATA), net.gradient(DATA), net.save(file)
    net.update_mini_batch(DATA, 0.1, 0.0, 30)
    with pytest.raises(ValueError, match=r"^eta"):
        net.SGD(DATA, 1, 5, -1.0)
    assert position() == before
    drawn = words()
    np.random.seed(5)
    twin = fastnet.load(file, seed=drawn)
    twin.update_mini_batch(DATA, 0.1, 0.0, 30)
    assert trained(net) == trained(twin)


def test_load_takes_a_seed_and_names_what_is_none(tmp_path):
    file = saved(tmp_path)
    first, second, other = (fastnet.load(file, seed=seed) for seed in (3, 3, 4))
    assert trained(first) == trained(second) != trained(other)
    with pytest.raises((TypeError, ValueError), match="seed: expected None, a non-negative"):
        fastnet.load(file, seed=-1)


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, Network.copy, lambda net: pickle.loads(pickle.dumps(net))],
    ids=["copy", "deepcopy", "Network.copy", "pickle"],
)
def test_a_copy_of_a_network_whose_seed_is_not_drawn_yet_trains_alike(again, tmp_path):
    net = fastnet.load(saved(tmp_path))
    before = position()
    other = again(net)
    after = position()
    assert after != before
    assert trained(net) == trained(other)
    assert trained(again(net)) == trained(net)
    assert position() == after


def test_threads_that_copy_such_a_network_together_get_copies_that_train_alike(tmp_path):
    file, before = saved(tmp_path), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that the threads meet
    try:
        for _ in range(100):
            net, begin, copies = fastnet.load(file), threading.Barrier(2), []

            def look(net=net, begin=begin, copies=copies):
                begin.wait(timeout=60)
                copies.append(net.copy())

            threads = [threading.Thread(target=look) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            first, second = copies
            assert trained(first) == trained(second) == trained(net)
    finally:
        sys.setswitchinterval(before)


# ---- reseed


@pytest.mark.parametrize("seed", [3, [1, 2], np.random.SeedSequence(4), np.random.MT19937(1)])
def test_reseed_begins_the_numbers_of_a_seed(seed):
    net, twin = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=2)
    trained(net)
    twin.weights, twin.biases = net.weights, net.biases
    for each in (net, twin):
        each.reseed(copy.deepcopy(seed))
    assert trained(net) == trained(twin)


def test_reseed_without_a_seed_takes_one_from_the_global_generator_when_it_is_needed():
    net, twin = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=1)
    np.random.seed(8)
    twin.reseed(words())
    np.random.seed(8)
    net.reseed(None)
    assert trained(net) == trained(twin)


def test_reseed_in_a_callback_holds_from_the_next_epoch():
    net, twin = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=1)
    net.SGD(DATA, 3, 5, 0.5, callbacks=[lambda n, epoch, h: epoch == 1 and n.reseed(9) and False],
            verbose=False)  # fmt: skip
    twin.SGD(DATA, 1, 5, 0.5, verbose=False)
    twin.reseed(9)
    twin.SGD(DATA, 2, 5, 0.5, verbose=False)
    assert net == twin


def test_reseed_refuses_what_is_no_seed_and_changes_nothing():
    net, twin = Network([4, 5, 3], seed=1), Network([4, 5, 3], seed=1)
    for wrong in (-1, 1.5, "seven", True):
        with pytest.raises((TypeError, ValueError), match=r"^seed: expected None"):
            net.reseed(wrong)
    assert trained(net) == trained(twin)


def test_reseed_is_refused_while_a_call_of_the_kernels_trains():
    class Reseeds(fastnet.QuadraticCost):
        @staticmethod
        def delta(z, a, y):
            net.reseed(1)
            return a - y

        fn = staticmethod(lambda a, y: 0.0)

    net = Network([4, 3], Reseeds, seed=1)
    with pytest.raises(RuntimeError, match="the network is being trained"):
        net.SGD(DATA, 1, 5, 0.5, verbose=False)


# ---- many networks


def test_seeds_are_drawn_in_the_order_of_the_specs_and_fit_seed_has_them():
    np.random.seed(6)
    drawn = [tuple(words().tolist()) for _ in range(3)]
    after = position()
    specs = [SPEC, {**SPEC, "seed": 7}, {**SPEC, "seed": None}, {**SPEC, "seed": [1, 2]}, SPEC]
    np.random.seed(6)
    fits = fastnet.fit_many(specs, DATA, verbose=False, max_workers=2)
    assert position() == after
    assert [fit.seed for fit in fits] == [drawn[0], 7, drawn[1], [1, 2], drawn[2]]
    for fit in fits:
        alone = Network([4, 5, 3], seed=fit.seed)
        alone.SGD(DATA, 2, 5, 0.5, verbose=False)
        assert alone == fit.network


def test_fit_seed_is_there_for_a_network_that_is_not_trained():
    def fails(network, epoch, history):
        raise LookupError

    (fit,) = fastnet.fit_many([{**SPEC, "callbacks": [fails]}], DATA, verbose=False)
    assert fit.network is None
    assert len(fit.seed) == 4


def test_a_sweep_that_is_refused_and_one_with_seeds_draw_nothing():
    before = position()
    for wrong in ({"eta": -1}, {"seed": -1}, {"schedule": lambda epoch: "fast"}):
        with pytest.raises((ValueError, TypeError), match=r"^specs\[2\]"):
            fastnet.fit_many([SPEC, SPEC, {**SPEC, **wrong}], DATA)
    with pytest.raises(TypeError, match=r"^executor"):
        fastnet.fit_many([SPEC], DATA, executor=3)
    fastnet.fit_many([{**SPEC, "seed": 1}] * 2, DATA, verbose=False)
    assert position() == before


def test_seeds_are_drawn_when_an_iterator_is_made_not_when_it_is_read():
    np.random.seed(6)
    fits = fastnet.fit_as_completed([SPEC] * 2, DATA, max_workers=1, verbose=False)
    np.random.seed(7)
    seeds = {fit.index: fit.seed for fit in fits}
    np.random.seed(6)
    assert [seeds[i] for i in (0, 1)] == [tuple(words().tolist()) for _ in range(2)]


FORKING = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import fastnet

rng = np.random.default_rng(2)
data = fastnet.Dataset(rng.random((30, 4)), np.arange(30) % 3)
spec = dict(sizes=[4, 5, 3], epochs=2, mini_batch_size=5, eta=0.5)
np.random.seed(1)
with ProcessPoolExecutor(3, multiprocessing.get_context("fork")) as pool:
    fits = fastnet.fit_many([spec] * 6, data, executor=pool, verbose=False)
assert [fit.error for fit in fits] == [None] * 6
assert len({fit.seed for fit in fits}) == 6
assert len({fit.network.weights[0].tobytes() for fit in fits}) == 6
for fit in fits:
    net = fastnet.Network([4, 5, 3], seed=fit.seed)
    net.SGD(data, 2, 5, 0.5, verbose=False)
    assert net == fit.network
print("distinct")
"""


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)
def test_networks_of_a_pool_that_forks_have_seeds_of_their_own():
    ran = subprocess.run(  # where no thread of pytest's is copied halfway
        [sys.executable, "-P", "-c", FORKING], capture_output=True, text=True, timeout=120
    )
    assert (ran.stdout, ran.returncode) == ("distinct\n", 0), ran.stderr


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_threads_and_processes_train_with_the_same_seeds(kind, spawning):
    options = {"mp_context": spawning} if kind is ProcessPoolExecutor else {}
    np.random.seed(6)
    here = fastnet.fit_many([SPEC] * 3, DATA, verbose=False)
    np.random.seed(6)
    with kind(2, **options) as pool:
        there = fastnet.fit_many([SPEC] * 3, DATA, executor=pool, verbose=False)
    assert [fit.seed for fit in here] == [fit.seed for fit in there]
    assert [fit.network for fit in here] == [fit.network for fit in there]


# ---- augmented images


def test_augmented_images_without_a_seed_draw_one_as_networks_do():
    images = Dataset(RANDOM.random((5, 16)), np.zeros(5, int))
    for distort in (
        lambda seed: augment.rotate(images, 20, seed=seed),
        lambda seed: augment.affine(images, 10, 0.1, 0.1, seed=seed),
        lambda seed: augment.elastic(images, 3, 1, seed=seed),
    ):
        np.random.seed(4)
        drawn = words()
        after = position()
        np.random.seed(4)
        assert (distort(None).X == distort(drawn).X).all()
        assert position() == after
