"""Random numbers: the same bits for the same seed on every machine and for every NumPy."""

import math
import shutil
import subprocess
from itertools import permutations
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

import fastnet
from fastnet import reference
from fastnet.core import _kernels, random_stream
from fastnet.core.random_stream import RandomStream

# ---- golden vectors --------------------------------------------------------

# numpy.random.PCG64(12345).random_raw(8)
RAW = [
    0x3A32B18DB2FFC19D, 0x51171315C9E4C4DE, 0xCC2024823444EFD9, 0xAD1F06AEA486E910,
    0x641FC168FD0B7B0D, 0x55334B27D6E48F43, 0x992AC3319147E59D, 0x2FCDCFC436908A5F,
]  # fmt: skip
UNIFORM = [
    0.22733602246716977, 0.316758339709753, 0.7973654573327341, 0.6762546707509746,
    0.391109550601909, 0.33281392786638453, 0.5983087535871899, 0.18673418560371335,
]  # fmt: skip
NORMAL = [
    -0.7476487609767978, -0.47678296207418736, 0.8322478050767506, 0.45725098113638735,
    -0.2764283282938231, -0.43215624821143217, 0.24897193210588392, -0.8899953718116561,
]  # fmt: skip
ORDER_OF_12 = [8, 0, 3, 10, 5, 7, 4, 1, 6, 9, 2, 11]


def test_numpy_s_raw_stream_is_the_one_expected():
    assert np.random.PCG64(12345).random_raw(8).tolist() == RAW
    assert RandomStream(12345).raw(8).tolist() == RAW


def test_the_conversions_give_the_golden_vectors():
    raw = np.array(RAW, np.uint64)
    assert _kernels.uniform(raw).tolist() == UNIFORM
    assert _kernels.standard_normal(raw).tolist() == NORMAL
    assert RandomStream(12345).normal(2, 4).tolist() == [NORMAL[:4], NORMAL[4:]]
    assert RandomStream(12345).permutation(12).tolist() == ORDER_OF_12


def test_a_network_s_first_weights_are_the_golden_ones():
    """Drawn row by row, then the biases, layer by layer; divided by sqrt(n_in) = 2."""
    net = fastnet.Network([4, 1, 2], dtype="float64", seed=12345)
    assert net.weights[0].tolist() == [[x / 2 for x in NORMAL[:4]]]
    assert net.biases[0].tolist() == [[NORMAL[4]]]
    assert net.weights[1].tolist() == [[NORMAL[5]], [NORMAL[6]]]
    assert net.biases[1][0].tolist() == [NORMAL[7]]
    net = fastnet.Network([4, 1], dtype="float64", seed=12345)
    net.large_weight_initializer()  # five numbers are already drawn
    assert net.weights[0].tolist()[0][:3] == NORMAL[5:]


# ---- conversions -----------------------------------------------------------


def test_uniform_lies_strictly_between_0_and_1():
    raw = np.array([0, 4095, 4096, 2**63, 2**64 - 1], np.uint64)
    expected = [2.0**-53, 2.0**-53, 1.5 * 2.0**-52, 0.5 + 2.0**-53, 1 - 2.0**-53]
    assert _kernels.uniform(raw).tolist() == expected
    assert reference.uniform(raw).tolist() == expected


def test_uniform_and_permutation_are_the_reference_s():
    raw = np.random.PCG64(1).random_raw(5000)
    np.testing.assert_array_equal(_kernels.uniform(raw), reference.uniform(raw))
    for n in (0, 1, 2, 3, 10, 5000):
        np.testing.assert_array_equal(_kernels.permutation(raw[:n]), reference.permutation(raw[:n]))


def all_parts_of_the_normal_distribution():
    """Raw numbers from the centre and both tails, to the ends."""
    edge = np.logspace(0, 18, 2000).astype(np.uint64)
    return np.concatenate([np.random.PCG64(2).random_raw(20_000), edge, ~edge])


def test_normal_is_python_s_inverse_of_the_normal_distribution():
    """The same rational functions; they differ by the logarithm and by fused operations."""
    raw = all_parts_of_the_normal_distribution()
    x, expected = _kernels.standard_normal(raw), reference.standard_normal(raw)
    assert expected.min() < -8
    assert expected.max() > 8
    assert (np.abs(x - expected) / np.spacing(np.abs(expected))).max() <= 4


def test_the_distribution_function_takes_normal_back_to_uniform():
    raw = all_parts_of_the_normal_distribution()
    u, x = _kernels.uniform(raw), _kernels.standard_normal(raw)
    back = np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in x.tolist()])
    density = np.array([NormalDist().pdf(value) for value in x.tolist()])
    # Some ULP of x, moved by the slope of the distribution, and some of erfc.
    eps = np.finfo(np.float64).eps
    assert (np.abs(back - u) <= 4 * eps * (np.abs(x) * density + u)).all()


def test_normal_is_odd_to_the_last_bit():
    raw = all_parts_of_the_normal_distribution()
    np.testing.assert_array_equal(_kernels.standard_normal(~raw), -_kernels.standard_normal(raw))


# ---- permutations ----------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000, 50_000])
def test_a_permutation_has_every_index_once(n):
    order = RandomStream(3).permutation(n)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    assert n < 10 or (order == np.arange(n)).mean() < 0.5


def test_the_extreme_raw_numbers_keep_or_rotate_the_order():
    """j = i for the largest number: nothing moves; j = 0 for 0: each goes to the front."""
    assert _kernels.permutation(np.full(5, 2**64 - 1, np.uint64)).tolist() == [0, 1, 2, 3, 4]
    assert _kernels.permutation(np.zeros(5, np.uint64)).tolist() == [1, 2, 3, 4, 0]


PRODUCTS = """
#include "core/random.c"
#include <inttypes.h>
#include <stdio.h>
int main(void)
{
    uint64_t a, b;
    while (scanf("%" SCNu64 "%" SCNu64, &a, &b) == 2)
        printf("%" PRIu64 "\\n", high_product(a, b));
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
def test_the_upper_half_of_a_product_is_exact_for_all_sizes_of_its_factors(tmp_path):
    """A permutation alone would show it for factors up to its length only."""
    source, program = tmp_path / "products.c", tmp_path / "products"
    source.write_text(PRODUCTS)
    csrc = Path(__file__).parent.parent / "csrc"
    subprocess.run(["cc", f"-I{csrc}", str(source), "-o", str(program), "-lm"], check=True)
    edges = [e + d for e in (0, 2**32, 2**63, 2**64) for d in (-2, -1, 0, 1) if 0 <= e + d < 2**64]
    drawn = [int(raw) >> shift for raw in np.random.PCG64(4).random_raw(50) for shift in (0, 31)]
    pairs = [(a, b) for a in edges + drawn for b in edges + drawn]
    lines = "".join(f"{a} {b}\n" for a, b in pairs)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    assert [int(word) for word in done.stdout.split()] == [a * b >> 64 for a, b in pairs]


def test_all_orders_are_equally_likely():
    n, draws = 4, 24_000
    stream, counts = RandomStream(4), dict.fromkeys(permutations(range(n)), 0)
    for _ in range(draws):
        counts[tuple(stream.permutation(n).tolist())] += 1
    expected = draws / len(counts)
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    # 23 degrees of freedom: mean 23, standard deviation 6.8
    assert 5 < chi_square < 60


def test_every_place_is_equally_likely_for_every_index():
    n, draws = 10, 5000
    stream, counts = RandomStream(5), np.zeros((n, n))
    for _ in range(draws):
        counts[np.arange(n), stream.permutation(n)] += 1
    chi_square = ((counts - draws / n) ** 2 / (draws / n)).sum()
    # (n - 1)^2 = 81 degrees of freedom: standard deviation 12.7
    assert 40 < chi_square < 140


# ---- seeds -----------------------------------------------------------------

SEEDS = {
    "integer": lambda: 7,
    "numpy integer": lambda: np.int64(7),
    "large integer": lambda: 2**100,
    "sequence": lambda: [7, 8],
    "array": lambda: np.array([7, 8]),
    "SeedSequence": lambda: np.random.SeedSequence(7),
    "PCG64": lambda: np.random.PCG64(7),
    "PCG64DXSM": lambda: np.random.PCG64DXSM(7),
    "Philox": lambda: np.random.Philox(7),
    "SFC64": lambda: np.random.SFC64(7),
    "MT19937": lambda: np.random.MT19937(7),
    "Generator": lambda: np.random.default_rng(7),
    "RandomState": lambda: np.random.RandomState(7),
}


@pytest.mark.covering(1)
@pytest.mark.parametrize("make", SEEDS.values(), ids=SEEDS)
def test_every_kind_of_seed_gives_the_same_network_twice(make, dtype):
    first, second = (fastnet.Network([5, 7, 3], dtype=dtype, seed=make()) for _ in range(2))
    assert first == second
    assert first != fastnet.Network([5, 7, 3], dtype=dtype, seed=8)
    assert np.unique(first.weights[0]).size == 35
    X, y = np.eye(5), np.arange(5) % 3
    for net in (first, second):
        net.SGD((X, y), 2, 2, 1.0, verbose=False)
    assert first == second


@pytest.mark.parametrize("make", SEEDS.values(), ids=SEEDS)
def test_every_kind_of_seed_gives_plausible_numbers(make):
    x = RandomStream(make()).normal(20_000)
    assert abs(x.mean()) < 5 / math.sqrt(20_000)
    assert abs(x.var() - 1) < 5 * math.sqrt(2 / 20_000)
    assert abs((x**4).mean() - 3) < 5 * math.sqrt(96 / 20_000)
    assert abs((x[1:] * x[:-1]).mean()) < 5 / math.sqrt(20_000)


def test_seeds_are_taken_as_numpy_s_default_rng_takes_them():
    for make in SEEDS.values():
        if not isinstance(make(), np.random.RandomState | np.random.MT19937):
            raw = np.random.default_rng(make()).bit_generator.random_raw(5)
            np.testing.assert_array_equal(RandomStream(make()).raw(5), raw)
    assert (RandomStream(None).raw(4) != RandomStream(None).raw(4)).all()


def test_the_mersenne_twister_gives_two_halves_the_upper_one_first():
    halves = np.random.MT19937(7).random_raw(6).tolist()
    assert max(halves) < 2**32
    expected = [halves[i] * 2**32 + halves[i + 1] for i in (0, 2, 4)]
    assert RandomStream(np.random.MT19937(7)).raw(3).tolist() == expected
    mersenne = np.random.Generator(np.random.MT19937(7))
    assert RandomStream(mersenne).raw(3).tolist() == expected


@pytest.mark.parametrize("seed", [-1, 1.5, "seven", [1, -1], {}, True])
def test_what_is_no_seed_is_refused_by_name(seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed: expected"):
        fastnet.Network([2, 2], seed=seed)


def test_a_shared_generator_advances():
    shared = np.random.default_rng(9)
    first, second = fastnet.Network([3, 2], seed=shared), fastnet.Network([3, 2], seed=shared)
    assert first != second
    again = np.random.PCG64(9)
    again.random_raw(3 * 2 + 2)  # the weights and biases of the first network
    assert fastnet.Network([3, 2], seed=again) == second
    np.testing.assert_array_equal(shared.bit_generator.random_raw(3), again.random_raw(3))


def test_each_epoch_takes_a_fresh_order_from_the_stream():
    """A run of two epochs is two runs of one; the order of each is the stream's next."""
    X, y = np.random.default_rng(10).random((40, 5)), np.arange(40) % 3
    whole, parts, by_hand = (fastnet.Network([5, 3], seed=11) for _ in range(3))
    whole.SGD((X, y), 2, 4, 1.0, verbose=False)
    for _ in range(2):
        parts.SGD((X, y), 1, 4, 1.0, verbose=False)
    assert whole == parts
    stream = RandomStream(11)
    stream.normal(5 * 3 + 3)
    orders = [stream.permutation(40) for _ in range(2)]
    assert (orders[0] != orders[1]).any()
    for order in orders:
        for first in range(0, 40, 4):
            rows = order[first : first + 4]
            by_hand.update_mini_batch((X[rows], y[rows]), 1.0, 0.0, 40)
    assert whole == by_hand


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937])
def test_long_draws_are_made_in_pieces_with_the_same_numbers(bits, monkeypatch):
    whole = RandomStream(bits(1)).raw(25)
    monkeypatch.setattr(random_stream, "_PIECE", 7)
    np.testing.assert_array_equal(RandomStream(bits(1)).raw(25), whole)


def test_long_permutations_are_shuffled_in_pieces_as_if_in_one():
    n = 1_000_003
    raw = np.full(n, 2**64 - 1, np.uint64)  # each place keeps its own
    raw[-1] = 0  # the last takes the first
    raw[2] = 0  # in the second piece, place 2 takes what the first has got
    expected = np.arange(n)
    expected[[0, 2, -1]] = 2, n - 1, 0
    np.testing.assert_array_equal(_kernels.permutation(raw), expected)
