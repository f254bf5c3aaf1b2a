"""Regularization, dropout, optimizers and shifts, step by step as the reference takes them."""

from itertools import pairwise

import kernel_calls
import numpy as np
import pytest

import fastnet
from fastnet import reference
from fastnet.core import _kernels
from fastnet.data import sparse_rows
from fastnet.nn import activations, optimizers
from fastnet.nn.activations import ACTIVATIONS
from fastnet.nn.optimizers import Adam, AdamW, Momentum

SIZES = (36, 9, 17, 4)  # images of 6 x 6
PAIR = ("sigmoid", "cross-entropy")

TECHNIQUES = {
    "l2": {"l2": 0.02},
    "l2 so strong that it is not put off": {"l2": 1.0},
    "l2 that is put off in short stretches": {"l2": 0.6},
    "l2 over each mini-batch, the last of which is not put off": {"l2": 4.0, "divide_l2": True},
    "l1": {"l1": 0.02},
    "elastic": {"l1": 0.01, "l2": 0.02},
    **{
        name: {"optimizer": one.kernel, "eta": 3 * one.usual_eta, "l2": one.usual_lmbda / 250}
        for name, one in optimizers.USUAL.items()
    },
    "momentum, elastic": {"optimizer": Momentum(0.5).kernel, "l1": 0.01, "l2": 0.02},
    "adam, elastic": {"optimizer": Adam(0.5, 0.9, 1e-3).kernel, "eta": 0.01, "l1": 0.1, "l2": 0.2},
    "dropout": {"dropout": np.array([0.5, 0.25])},
    "dropout of one layer": {"dropout": np.array([0.0, 0.9])},
    "shift": {"shift": 1},
    "shift, l2": {"shift": 3, "l2": 0.02},
    "all": {
        "dropout": np.array([0.2, 0.1]), "shift": 2, "optimizer": Momentum(0.9, True).kernel,
        "l1": 0.001, "l2": 0.02, "eta": 0.05,
    },
}  # fmt: skip

KINDS = [*(ACTIVATIONS[name].kernel for name in activations.HIDDEN), ("leaky-relu", 0.25)]
HIDDEN = [("sigmoid", "sigmoid"), *pairwise(KINDS), ("gelu", "tanh")]


def start(parameters, optimizer=("plain",), **_):
    """Moments of zero, as many as the optimizer keeps."""
    count = 0 if optimizer[0] == "plain" else optimizers.USUAL[optimizer[0]].n_moments
    return _kernels.aligned(count * len(parameters), parameters.dtype) if count else None


def three_epochs(module, parameters, data, m, options, *, pair=PAIR, sizes=SIZES, **more):
    """The parameters after three passes in other orders, moments carried on."""
    options, after = {"eta": 0.3, **options}, parameters.copy()
    moments, random = start(parameters, **options), np.random.default_rng(1)
    for epoch in range(3):
        order = random.permutation(len(data[0]))
        kernel_calls.train(
            (sizes, *pair, after),
            data,
            order,
            m,
            kernels=module,
            moments=moments,
            key=epoch + 2**60,
            steps=epoch * -(-len(order) // m),
            **options,
            **more,
        )
    return after


def assert_near(mine, theirs, tolerance, sizes=SIZES):
    """Within ``tolerance`` of each layer's own size."""
    for pair in zip(reference.layers(sizes, mine), reference.layers(sizes, theirs), strict=True):
        for part, other in zip(*pair, strict=True):
            assert np.linalg.norm(part - other) <= tolerance * np.linalg.norm(other)


@pytest.fixture
def problem(random_parameters, random_examples):
    """make(dtype, n) -> (parameters, data)."""

    def make(dtype, n):
        return random_parameters(SIZES, dtype, 1), random_examples(n, SIZES, PAIR[1], 2)

    return make


@pytest.mark.parametrize("m", [1, 10, 64])
@pytest.mark.parametrize("options", TECHNIQUES.values(), ids=TECHNIQUES)
def test_three_epochs_of_each_technique_end_where_the_reference_ends(
    options, m, isa, problem, places
):
    parameters, data = problem("float64", 130)
    plain = three_epochs(reference, parameters, data, m, {})
    expected = three_epochs(reference, parameters, data, m, options)
    end = three_epochs(_kernels, parameters, data, m, options)
    assert np.abs(expected - plain).max() > 1e-3, "the technique makes a difference"
    assert_near(end, expected, 1e-10)
    assert not end[~places(SIZES, "float64")].any()


@pytest.mark.parametrize("options", [{}, {"l2": 0.02, "dropout": np.array([0.5, 0.5])}], ids=str)
@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda kinds: "+".join(map(str, kinds)))
def test_hidden_neurons_of_each_kind_train_as_the_reference_does(
    hidden, options, isa, pair, problem
):
    parameters, data = problem("float64", 130)
    data = (data[0], data[1] / 4, data[2])
    eta = 0.005 if "linear" in hidden else 0.05  # exponential outputs of linear neurons diverge
    options = {**options, "eta": eta, "hidden": hidden}
    expected = three_epochs(reference, parameters, data, 7, options, pair=pair)
    end = three_epochs(_kernels, parameters, data, 7, options, pair=pair)
    assert_near(end, expected, 1e-10)
    sigmoid = three_epochs(reference, parameters, data, 7, {**options, "hidden": None}, pair=pair)
    assert hidden == HIDDEN[0] or np.abs(end - sigmoid).max() > 1e-3


@pytest.mark.covering(1)
@pytest.mark.parametrize("options", TECHNIQUES.values(), ids=TECHNIQUES)
def test_mini_batches_of_more_than_1024_examples_take_each_technique(options, isa, problem):
    parameters, data = problem("float64", 2600)
    expected = three_epochs(reference, parameters, data, 1500, options)
    assert_near(three_epochs(_kernels, parameters, data, 1500, options), expected, 1e-10)


@pytest.mark.parametrize("options", TECHNIQUES.values(), ids=TECHNIQUES)
def test_neither_threads_nor_compressed_rows_change_a_bit_of_any_technique(
    options, dtype, isa, problem
):
    parameters, (X, scale, y) = problem(dtype, 130)
    ends = [
        three_epochs(_kernels, parameters, (rows, scale, y), 10, options, threads=threads)
        for rows in (X, sparse_rows.compress(X, "columns"))
        for threads in (1, 2, 3)
    ]
    assert (ends[0] != parameters).any()
    for end in ends[1:]:
        np.testing.assert_array_equal(end + 0.0, ends[0] + 0.0)  # -0 is 0


def test_float32_stays_near_float64_with_each_technique(isa, problem):
    for name, options in TECHNIQUES.items():
        parameters, data = problem("float32", 130)
        end = three_epochs(_kernels, parameters, data, 10, options)
        wide = _kernels.aligned(_kernels.layout(SIZES, "float64")[0], "float64")
        for mine, narrow in zip(
            reference.layers(SIZES, wide), reference.layers(SIZES, parameters), strict=True
        ):
            mine[0][...], mine[1][...] = narrow
        exact = three_epochs(_kernels, wide, data, 10, options)
        for layer, exactly in zip(
            reference.layers(SIZES, end), reference.layers(SIZES, exact), strict=True
        ):
            for part, other in zip(layer, exactly, strict=True):
                # Adam divides by roots of small numbers, and L1 jumps where a weight is 0.
                tolerance = 2e-2 if "l1" in options or "adam" in name else 1e-4
                assert np.linalg.norm(part - other) <= tolerance * np.linalg.norm(other), name


# ---- by hand ---------------------------------------------------------------


def test_l1_draws_every_weight_towards_zero_by_the_same_amount(dtype, isa):
    net = fastnet.Network([2, 2], dtype=dtype)
    net.weights[0], net.biases[0] = [[1.0, -2.0], [0.0, 0.5]], [[3.0], [-3.0]]
    # Inputs of zero leave the weights to L1: 4 mini-batches, each eta l1 / n = 0.5 * 0.5 / 4.
    net.SGD((np.zeros((4, 2)), [0, 1, 0, 1]), 1, 1, 0.5, l1=0.5, verbose=False)
    assert net.weights[0].tolist() == [[0.75, -1.75], [0.0, 0.25]]


def test_rmsprop_divides_by_the_root_of_the_running_mean_of_squares(dtype, isa):
    """The weight of one linear neuron with the input 1, as PyTorch's RMSprop moves it."""
    alpha, epsilon, eta, l2 = 0.75, 0.125, 0.25, 0.5
    net = fastnet.Network([1, 1], "quadratic", output="linear", dtype=dtype)
    net.weights[0], net.biases[0] = [[3.0]], [[-1.0]]
    w, b, v, u = 3.0, -1.0, 0.0, 0.0
    optimizer = fastnet.RMSprop(alpha, epsilon)
    net.SGD(([[1.0]] * 3, [[0.5]] * 3), 1, 1, eta, 3 * l2, optimizer=optimizer, verbose=False)
    for _ in range(3):
        error = w + b - 0.5
        g = error + l2 * w
        v, u = alpha * v + (1 - alpha) * g * g, alpha * u + (1 - alpha) * error * error
        w, b = w - eta * g / (v**0.5 + epsilon), b - eta * error / (u**0.5 + epsilon)
    end = (net.weights[0].item(), net.biases[0].item())
    assert end == pytest.approx((w, b), rel=1e-5 if dtype == "float32" else 1e-13)
    assert w < 2.1


def test_dropout_drops_the_share_that_is_asked_for_and_scales_the_others(dtype, isa):
    """A linear layer sums what one hidden layer lets through: its gradient shows the factors."""
    n, p = 4000, 0.3
    sizes = (1, n, 1)
    parameters = _kernels.aligned(_kernels.layout(sizes, dtype)[0], dtype)  # all activations 1/2
    kernel_calls.train(
        (sizes, "linear", "quadratic", parameters),
        (np.ones((1, 1)), 1.0, np.full((1, 1), -1.0)),
        np.arange(1),
        1,
        1.0,
        dropout=np.array([p]),
        key=5,
    )
    moved = reference.layers(sizes, parameters)[1][0][:, 0]  # -a, for an error of 1
    values = set((-moved).tolist())
    assert values == {0.0, float(np.array(0.5, dtype) * np.array(1 / (1 - p), dtype))}
    share = np.mean(moved == 0)
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_dropout_of_other_keys_epochs_and_examples_is_other_dropout(isa, problem):
    parameters, data = problem("float64", 40)
    dropout = {"dropout": np.array([0.5, 0.5])}
    ends = []
    for key in (0, 1, 2**64 - 1):
        after = parameters.copy()
        kernel_calls.train((SIZES, *PAIR, after), data, np.arange(40), 4, 0.3, key=key, **dropout)
        ends.append(after)
    assert len({end.tobytes() for end in ends}) == 3


def test_the_random_numbers_are_those_of_splitmix64(isa):
    """The first outputs for the seed 0, as the authors' own program gives them."""
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    counters = np.arange(3, dtype=np.uint64)
    assert _kernels.random_at(0, counters).tolist() == expected
    assert reference.random_at(0, counters).tolist() == expected


@pytest.mark.parametrize("form", ["dense", "columns"])
def test_a_shift_moves_an_image_by_whole_pixels_evenly_in_all_directions(form, dtype, isa):
    """One output neuron whose error is -1: the first step's weights are the image, moved."""
    side, shift = 5, 2
    n_in = side * side
    image = np.zeros((side, side), np.uint8)
    image[2, 2], image[0, 4], image[4, 0] = 1, 2, 3
    X = image.reshape(1, n_in)
    rows = X if form == "dense" else sparse_rows.compress(X, "columns")
    seen = {}
    for key in range(400):
        parameters = _kernels.aligned(_kernels.layout((n_in, 1), dtype)[0], dtype)
        kernel_calls.train(
            ((n_in, 1), "linear", "quadratic", parameters),
            (rows, 1.0, np.ones((1, 1))),
            np.arange(1),
            1,
            1.0,
            shift=shift,
            key=key,
        )
        moved = reference.layers((n_in, 1), parameters)[0][0][:, 0].reshape(side, side)
        seen.setdefault(moved.tobytes(), []).append(moved)
    expected = set()
    wide = np.pad(image, shift).astype(dtype)
    for down in range(2 * shift + 1):
        for right in range(2 * shift + 1):
            expected.add(wide[down : down + side, right : right + side].tobytes())
    assert set(seen) == expected
    assert len(expected) == 25
    assert max(map(len, seen.values())) < 40  # 16 are to be expected
    assert min(map(len, seen.values())) > 3


# ---- against PyTorch -------------------------------------------------------

# Parameters after five epochs of two mini-batches of two examples, as PyTorch 2.13.0 trains
# them in float64 (torch.optim.SGD, Adam, AdamW; torch.tanh, relu, nn.functional.leaky_relu
# and gelu), the quadratic cost divided by the mini-batch: row by row the weights and the
# biases of the hidden layer, then those of the linear output.
START = [0.5, -0.25, 0.125, -0.75, 0.375, 0.25, 0.1, -0.2, 1.0, -0.5, 0.3]
X = np.array([[1.0, 0.5, -1.0], [0.25, -0.5, 2.0], [-1.5, 1.0, 0.75], [0.5, 0.5, 0.5]])
Y = np.array([[0.5], [-1.0], [0.25], [1.5]])
TOLD = {
    "momentum": {"eta": 0.1, "l2": 0.05, "optimizer": Momentum(0.9).kernel},
    "nesterov": {"eta": 0.1, "l2": 0.05, "optimizer": Momentum(0.8, nesterov=True).kernel},
    "adam": {"eta": 0.01, "l2": 0.05, "optimizer": Adam().kernel},
    "adamw": {"eta": 0.01, "l2": 0.5, "optimizer": AdamW().kernel},
    "tanh": {"eta": 0.1, "hidden": ("tanh",)},
    "relu": {"eta": 0.1, "hidden": ("relu",)},
    "leaky-relu": {"eta": 0.1, "hidden": (("leaky-relu", 0.01),)},
    "gelu": {"eta": 0.1, "hidden": ("gelu",)},
}
PYTORCH = {
    "momentum": [
        0.341065791140649, 0.10691497061778678, -0.33789553298341773, -0.5843777746539397,
        0.10029691491023085, 0.4797677580172718, 0.05156143722492695, -0.1855605040021038,
        0.6525638439424354, -0.3935121597164473, 0.2289145485684821,
    ],
    "nesterov": [
        0.35284996531242163, 0.05840824261020873, -0.264222878526584, -0.6058360390959718,
        0.14333228977184523, 0.42001782330533105, 0.05449665995830101, -0.1981516575494148,
        0.7110976482557303, -0.39756415437512116, 0.246426451322559,
    ],
    "adam": [
        0.4368713666116643, -0.1510543764401676, 0.06011251263474521, -0.667042390701813,
        0.27628973297351045, 0.3094983704337587, 0.05992192798463515, -0.15848981775819354,
        0.9474920558078822, -0.5354652573790334, 0.25882247186273927,
    ],
    "adamw": [
        0.43866574619136217, -0.14121407608830508, 0.05666758459994923, -0.680557770865766,
        0.2608962173573456, 0.30114255834833903, 0.0601007277578264, -0.15869451998457085,
        0.9073470268665206, -0.5155798113093711, 0.25905657883542016,
    ],
    "tanh": [
        0.2899850295793056, 0.07875405797597808, -0.14284572763361583, -0.7297782661539638,
        0.24386896049750317, 0.45106816524632315, 0.08652306650835301, -0.16449596853147255,
        0.7466582277000042, -0.3023435089395602, 0.3290725264793404,
    ],
    "relu": [
        0.5063932318455293, -0.035217209046837554, -0.12363649123756137, -0.6584246573168452,
        0.3139497715445634, 0.20421232865842256, 0.07121275684795722, -0.2610502284554366,
        0.9078588086497651, -0.3013188018335486, 0.29680142861516545,
    ],
    "gelu": [
        0.497999752034427, -0.10173976179621753, -0.18398824270102435, -0.635820903185911,
        0.24226115246189603, 0.31938052241204995, -0.0138758727158363, -0.24405356629391997,
        0.9220005044586304, -0.3112028310323873, 0.3504741187131553,
    ],
    "leaky-relu": [
        0.5033916388299758, -0.033731992777044084, -0.1245096256552261, -0.6576010100449298,
        0.3122455734918387, 0.20597347985731507, 0.07059803293468049, -0.2609261859647328,
        0.9062095416946748, -0.29884566019987935, 0.29763218371847205,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", PYTORCH)
@pytest.mark.parametrize("module", [_kernels, reference], ids=["kernels", "reference"])
def test_ten_mini_batches_end_where_pytorch_ends(module, name, isa):
    sizes = (3, 2, 1)
    parameters = _kernels.aligned(_kernels.layout(sizes, "float64")[0], "float64")
    (w1, b1), (w2, b2) = reference.layers(sizes, parameters)
    w1.T[...], b1[...] = np.reshape(START[:6], (2, 3)), START[6:8]
    w2.T[...], b2[...] = np.reshape(START[8:10], (1, 2)), START[10:]
    options = TOLD[name]
    moments = start(parameters, **options)
    for epoch in range(5):
        kernel_calls.train(
            (sizes, "linear", "quadratic", parameters),
            (X, 1.0, Y),
            np.arange(4),
            2,
            kernels=module,
            moments=moments,
            steps=2 * epoch,
            **options,
        )
    end = np.concatenate([w1.T.reshape(-1), b1, w2.T.reshape(-1), b2])
    np.testing.assert_allclose(end, PYTORCH[name], rtol=1e-12)
