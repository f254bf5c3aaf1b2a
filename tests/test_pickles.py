"""Pickles of networks: those of earlier releases, and what is made of damaged ones."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet import Network
from fastnet.core import _kernels
from fastnet.core.random_stream import RandomStream

FOLDER = Path(__file__).parent / "data"
KEY = "fastnet.Network"


RANDOM = np.random.RandomState(3)  # as in data/make_networks.py
X = RANDOM.randint(0, 256, (40, 9)).astype(np.uint8)
DATA = fastnet.Dataset(X, RANDOM.randint(0, 3, 40), scale=1 / 256)


def kept(version):
    with open(FOLDER / f"network_{version}.pickle", "rb") as file:
        return pickle.load(file)


def lists(net):
    return {
        "weights": [w.tolist() for w in net.weights],
        "biases": [b.tolist() for b in net.biases],
    }


def state():
    return Network([4, 5, 3], seed=1).__getstate__()


def state_of_0_1():
    """What a pickle by fastnet 0.1 has."""
    net = Network([4, 5, 3], seed=1)
    model = net._model
    return {
        "note": "kept",
        "_stream": RandomStream(1),
        "_model": (model.sizes, model.cost_spec, model.values, None, None, model.hidden),
    }


def made(state):
    net = Network.__new__(Network)
    net.__setstate__(state)
    return net


# ---- kept ones

needs_numpy_2 = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0",
    reason="the files hold a bit generator as NumPy 2 pickles it, which NumPy 1 cannot read",
)


@needs_numpy_2
@pytest.mark.parametrize("version", ["0_1", "0_2"])
def test_a_network_of_an_earlier_release_is_as_it_was(version):
    net = kept(version)
    recorded = json.loads((FOLDER / "networks.json").read_text())
    assert lists(net) == recorded["pickled"]
    assert repr(net) == (
        "<Network [9, 7, 3]: tanh neurons, sigmoid outputs, cross-entropy cost, float32>"
    )
    assert (net.n_threads, net.input_scale) == (1, 1 / 256)
    assert net.note == {"trained on": "forty examples"}
    assert net.accuracy((X, DATA.y)) == net.accuracy(DATA)


@needs_numpy_2
@pytest.mark.parametrize("version", ["0_1", "0_2"])
def test_a_network_of_an_earlier_release_trains_on_as_it_would_have(version):
    net, twin = kept(version), Network([9, 7, 3], seed=5, hidden="tanh", n_threads=1)
    recorded = json.loads((FOLDER / "networks.json").read_text())
    options = {"optimizer": fastnet.Momentum(0.9), "dropout": 0.2, "verbose": False}
    net.SGD(DATA, 2, 4, 0.3, 0.1, **options)
    for epochs in (3, 2):
        twin.SGD(DATA, epochs, 4, 0.3, 0.1, **options)
    if _kernels.isa() != "baseline":  # without fused multiply-add the last bits are others
        assert net == twin
        assert lists(net) == recorded["trained on"]
    again = kept(version)
    again.SGD(DATA, 2, 4, 0.3, 0.1, **options)
    assert again == net


def test_the_pickle_of_a_network_of_0_1_with_a_cost_of_its_own_loads():
    class Own(fastnet.QuadraticCost):
        pass

    before = state_of_0_1()
    sizes, spec, values, *others = before["_model"]
    before["_model"] = (sizes, spec._replace(cost=Own, kernel=None), values, *others)
    net = made(before)
    assert net.cost is Own
    assert net.note == "kept"
    assert net.weights == Network([4, 5, 3], seed=1).weights


# Made by release 0.2, where both classes were defined in fastnet.training.
HISTORY_OF_0_2 = (
    b"\x80\x02cfastnet.training\nHistory\nq\x00(]q\x01G?\xe0\x00\x00\x00\x00\x00\x00a]q\x02K\x03a]q\x03"
    b"]q\x04tq\x05\x81q\x06}q\x07X\x0c\x00\x00\x00n_evaluationq\x08K\nsb."
)
ERROR_OF_0_2 = (
    b"\x80\x02cfastnet.training\nDivergenceError\nq\x00K\x03X\x1f\x00\x00\x00a smaller eta or "
    b"lmbda may helpq\x01\x86q\x02Rq\x03}q\x04(X\x05\x00\x00\x00epochq\x05K\x03X\x07\x00\x00\x00"
    b"_adviceq\x06h\x01X\x07\x00\x00\x00historyq\x07cfastnet.training\nHistory\nq\x08(]q\tG?\xe0"
    b"\x00\x00\x00\x00\x00\x00a]q\nK\x03a]q\x0b]q\x0ctq\r\x81q\x0e}q\x0fX\x0c\x00\x00\x00n_evaluationq\x10K\nsbub."
)


def test_a_history_of_an_earlier_release_loads():
    history = pickle.loads(HISTORY_OF_0_2)
    assert type(history) is fastnet.History
    assert history == ([0.5], [3], [], [])
    assert history.n_evaluation == 10
    again = pickle.loads(pickle.dumps(history))
    assert (again, again.n_evaluation) == (history, 10)


def test_an_error_of_an_earlier_release_loads():
    error = pickle.loads(ERROR_OF_0_2)
    assert type(error) is fastnet.DivergenceError
    assert error.epoch == 3
    assert str(error) == str(fastnet.DivergenceError(3))
    assert error.history == ([0.5], [3], [], [])
    assert pickle.loads(pickle.dumps(error)).history.n_evaluation == 10


# ---- today's


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pickle_has_all_of_a_network(protocol, dtype):
    net = Network([9, 7, 3], "log-likelihood", hidden="gelu", dtype=dtype, seed=2, n_threads=3)
    net.SGD(DATA, 1, 4, 0.1, verbose=False)
    net._network, net.note = "the program's own", [1]
    again = pickle.loads(pickle.dumps(net, protocol))
    assert again == net
    assert (again.n_threads, again.input_scale) == (3, 1 / 256)
    assert (again._network, again.note) == ("the program's own", [1])
    for each in (net, again):
        each.SGD(DATA, 2, 4, 0.1, dropout=0.1, verbose=False)
    assert again == net


def test_a_state_holds_values_of_its_own_and_serves_twice():
    net = Network([4, 5, 3], seed=1)
    taken = net.__getstate__()
    one, other = copy.copy(net), made(copy.deepcopy(taken))
    one.weights[0][...] = 0
    assert other == net != one


def test_what_lies_between_the_parameters_of_a_pickle_is_not_taken():
    dirty = state()
    values = dirty[KEY]["values"].copy()
    length, layers = _kernels.layout([4, 5, 3], "float32")
    used = np.zeros(length, bool)
    for (w, b, stride), n_in, n_out in zip(layers, (4, 5), (5, 3), strict=True):
        used[w:b].reshape(n_in, stride)[:, :n_out] = True
        used[b : b + n_out] = True
    assert not used.all()
    values[~used] = np.nan
    dirty[KEY]["values"] = values
    net = made(dirty)
    assert net == Network([4, 5, 3], seed=1)
    net.SGD((np.eye(4), [0, 1, 2, 0]), 2, 2, 0.5, 0.1, monitor_training_cost=True, verbose=False)


# ---- damaged ones

VALUES = Network([4, 5, 3], seed=1)._model.values.copy()
DAMAGES = {
    "sizes": [None, [], [4], [4, 0, 3], [4, 5, 2**31], "453", [4, 5.5, 3], 7],
    "cost": [None, "mse", 3, object],
    "output": ["relu", 3, "softmax"],
    "dtype": [None, "float16", 3, {}, "int32"],
    "hidden": [None, 3, ["sigmoid"] * 2, ["relu6"], []],
    "n_threads": [0, -1, 1.5, "two", True],
    "input_scale": [-1, np.nan, np.inf, "small", [1]],
    "values": [None, VALUES[:-1], VALUES[None], VALUES.astype(np.float64), VALUES.tolist(),
               np.append(VALUES, VALUES), VALUES.astype(object), VALUES.view(np.int32), 3],
    "stream": [None, 3, np.random.PCG64(1)],
    "warned": [None, 3, ["bytes"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in DAMAGES.items() for value in values],
)
def test_a_damaged_pickle_gets_one_error_that_names_the_part_and_changes_nothing(name, value):
    net = Network([4, 5, 3], seed=1)
    net.note = "mine"
    damaged = {**state(), "note": "its"}
    damaged[KEY] = {**damaged[KEY], name: value}
    with pytest.raises((ValueError, TypeError), match=f"^{name}: "):
        net.__setstate__(damaged)
    assert net == Network([4, 5, 3], seed=1)
    assert net.note == "mine"
    with pytest.raises((ValueError, TypeError), match=f"^{name}: "):
        made(damaged).feedforward([0] * 4)


@pytest.mark.parametrize("name", [*DAMAGES, "version"])
def test_a_pickle_that_lacks_a_part_names_it(name):
    damaged = state()
    del damaged[KEY][name]
    with pytest.raises(ValueError, match=f"{name!r}|format 2.* got None"):
        made(damaged)


@pytest.mark.parametrize("damaged", [
    None, 3, [], {}, {"_model": None}, {KEY: None}, {KEY: 3}, {KEY: {}}, {KEY: []},
    {KEY: {"version": 4}}, {KEY: {"version": None}},
])  # fmt: skip
def test_what_is_no_pickle_of_a_network_is_refused(damaged):
    with pytest.raises(ValueError, match=r"^expected the pickle of a network"):
        made(damaged)


# sizes, cost spec, values, input_scale, n_threads, hidden; of the fourth and fifth, some would do.
DAMAGES_OF_0_1 = [
    *((place, value) for place in (0, 1, 2, 5) for value in (None, 3)),
    *((place, value) for place in range(6) for value in ("x", (), np.zeros(3, "f,f"))),
]


@pytest.mark.parametrize(("place", "value"), DAMAGES_OF_0_1, ids=repr)
def test_a_damaged_pickle_of_0_1_gets_one_error(place, value):
    damaged = state_of_0_1()
    model = list(damaged["_model"])
    model[place] = value
    damaged["_model"] = tuple(model)
    with pytest.raises((ValueError, TypeError), match="expected"):
        made(damaged)


def test_parts_that_a_pickle_brings_of_its_own_are_not_taken():
    smuggled = {**state(), "_model": "a model", "_stream": None, "_warned": 3}
    assert made(smuggled) == Network([4, 5, 3], seed=1)
    made(smuggled).SGD((np.eye(4), [0, 1, 2, 0]), 1, 2, 0.5, verbose=False)


@pytest.mark.parametrize("bits", [None, 3, {}, np.random.default_rng(1)])
def test_a_random_stream_without_its_generator_is_refused(bits):
    stream = RandomStream.__new__(RandomStream)
    for damaged in ({"_bits": bits}, {}, None, [bits]):
        with pytest.raises(ValueError, match=r"^stream: expected a BitGenerator"):
            stream.__setstate__(damaged)
