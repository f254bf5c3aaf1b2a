"""Shifted, turned and bent images."""

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage, sparse

import fastnet
from fastnet import Dataset, augment

RANDOM = np.random.default_rng(5)
TINY = np.uint8([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
IMAGES = RANDOM.integers(0, 256, (300, 7, 7), np.uint8)  # more than two batches
LABELS = RANDOM.integers(0, 10, 300)


def data(images, dtype=np.uint8):
    images = np.asarray(images, dtype)
    return Dataset(images.reshape(len(images), -1), np.arange(len(images)), scale=1 / 256)


def images_of(dataset):
    side = math.isqrt(dataset.X.shape[1])
    return dataset.X.reshape(len(dataset), side, side)


MANY = Dataset(IMAGES.reshape(300, 49), LABELS, scale=1 / 256)

CALLS = {
    "shift": lambda data: augment.shift(data, 1, 0),
    "expand_by_shifts": augment.expand_by_shifts,
    "rotate": lambda data: augment.rotate(data, 20, seed=1),
    "affine": lambda data: augment.affine(data, 20, 0.1, 0.2, seed=1),
    "elastic": lambda data: augment.elastic(data, 8, 2, seed=1),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


# ---- shifts


@pytest.mark.parametrize(
    ("dx", "dy", "expected"),
    [
        (0, 0, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        (1, 0, [[0, 1, 2], [0, 4, 5], [0, 7, 8]]),
        (-1, 0, [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
        (0, 1, [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
        (0, -1, [[4, 5, 6], [7, 8, 9], [0, 0, 0]]),
        (1, -2, [[0, 7, 8], [0, 0, 0], [0, 0, 0]]),
        (-2, 2, [[0, 0, 0], [0, 0, 0], [3, 0, 0]]),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_shift_moves_right_and_down_and_leaves_zeros(dx, dy, expected, dtype):
    shifted = augment.shift(data([TINY, 2 * TINY], dtype), dx, dy)
    np.testing.assert_array_equal(images_of(shifted), [expected, 2 * np.array(expected)])


def test_the_five_fold_set_holds_the_images_then_left_right_up_and_down():
    five = augment.expand_by_shifts(MANY)
    parts = [MANY.X] + [
        augment.shift(MANY, dx, dy).X for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1))
    ]
    np.testing.assert_array_equal(five.X, np.concatenate(parts))
    np.testing.assert_array_equal(five.y, np.tile(LABELS, 5))
    two = augment.expand_by_shifts(MANY, pixels=2)
    np.testing.assert_array_equal(two.X[:300], MANY.X)
    np.testing.assert_array_equal(two.X[900:1200], augment.shift(MANY, 0, -2).X)


def test_targets_are_repeated_as_labels_are():
    targets = np.random.default_rng(2).random((2, 4)).astype(np.float32)
    five = augment.expand_by_shifts((np.ones((2, 9)), targets))
    np.testing.assert_array_equal(five.y, np.tile(targets, (5, 1)))
    assert five.y.dtype == np.float32


# ---- rotation, scaling, shear


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
@pytest.mark.parametrize("side", [1, 2, 7, 8])
def test_a_rotation_by_right_angles_is_that_of_the_pixels(quarters, side):
    random = np.random.default_rng(side)
    pixels = random.integers(0, 256, (3, side, side))
    angle = 90 * quarters
    expected = np.rot90(pixels, quarters, axes=(1, 2))
    rotated = augment.rotate(data(pixels), (angle, angle))
    np.testing.assert_array_equal(images_of(rotated), expected)
    # the sine of 180 degrees is 1e-16, so that places are off by some 1e-15 pixels
    real = augment.rotate(data(pixels, np.float64), (angle, angle))
    np.testing.assert_allclose(images_of(real), expected, rtol=0, atol=1e-12)


def test_a_positive_angle_turns_counterclockwise():
    bar = np.zeros((1, 9, 9))
    bar[0, 4, 4:] = 1  # to the right of the centre
    turned = images_of(augment.rotate(data(bar, np.float64), (45, 45)))[0]
    assert turned[2, 6] > 0.5  # above and to the right
    assert turned[6, 6] == turned[4, 8] == 0


@pytest.mark.parametrize("call", [
    lambda d: augment.rotate(d, 0, seed=1),
    lambda d: augment.rotate(d, (0, 0), seed=1),
    lambda d: augment.affine(d, seed=1),
    lambda d: augment.affine(d, 0, (1, 1), (0, 0)),
    lambda d: augment.elastic(d, 0, 3, seed=1),
    lambda d: augment.shift(d, 0, 0),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_what_moves_nothing_gives_the_same_images(call, dtype):
    given = Dataset(MANY.X.astype(dtype), LABELS, 1 / 256)
    np.testing.assert_array_equal(call(given).X, given.X)


def test_every_image_is_turned_by_an_angle_of_its_own_within_the_bounds():
    # a dot far from the centre: its direction tells the angle, to about a pixel's
    side = 65
    dot = np.zeros((400, side, side))
    dot[:, 31:34, 60:63] = 1
    turned = images_of(augment.rotate(data(dot, np.float64), 30, seed=3))
    y, x = 32 - np.arange(side)[:, None], np.arange(side) - 32
    mass = turned.sum(axis=(1, 2))
    angles = np.degrees(
        np.arctan2((turned * y).sum((1, 2)) / mass, (turned * x).sum((1, 2)) / mass)
    )
    assert np.abs(angles).max() < 30.5
    # uniform: mean 0 and deviation 30 / sqrt(3), each within four standard errors
    deviation = 30 / math.sqrt(3)
    assert abs(angles.mean()) < 4 * deviation / math.sqrt(400)
    assert abs(angles.var() / deviation**2 - 1) < 4 * math.sqrt(0.8 / 400)
    one_sided = images_of(augment.rotate(data(dot, np.float64), (10, 30), seed=3))
    assert (one_sided[:, 33:].sum(axis=(1, 2)) == 0).all()


def test_scaling_by_two_doubles_the_distances_from_the_centre():
    pixels = np.random.default_rng(1).random((2, 9, 9))
    large = images_of(augment.affine(data(pixels, np.float64), scaling=(2, 2)))
    np.testing.assert_allclose(large[:, ::2, ::2], pixels[:, 2:7, 2:7], rtol=1e-15)
    small = images_of(augment.affine(data(pixels, np.float64), scaling=(0.5, 0.5)))
    np.testing.assert_allclose(small[:, 2:7, 2:7], pixels[:, ::2, ::2], rtol=1e-15)
    assert (small[:, :2] == 0).all()


def test_a_shear_moves_rows_to_the_right_by_their_height():
    sheared = images_of(augment.affine(data([TINY]), shear=(1, 1)))[0]
    np.testing.assert_array_equal(sheared, [[0, 1, 2], [4, 5, 6], [8, 9, 0]])


def test_all_together_is_the_product_of_the_matrices():
    """Against SciPy, which takes the matrix from an output pixel to its source."""
    degrees, factor, slope = 25.0, 1.2, 0.3
    made = images_of(augment.affine(
        data(IMAGES[:5], np.float64), (degrees,) * 2, (factor,) * 2, (slope,) * 2
    ))  # fmt: skip
    t = math.radians(degrees)
    turn = np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])  # of (x, y)
    forward = turn @ (factor * np.array([[1, slope], [0, 1]]))
    flip = np.array([[0, -1], [1, 0]])  # (x, y) -> (row, column), y upwards
    matrix = flip @ np.linalg.inv(forward) @ flip.T
    for image, mine in zip(IMAGES, made, strict=False):
        theirs = ndimage.affine_transform(
            image.astype(float), matrix, offset=3 - matrix @ [3, 3], order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-11)  # of 255


# ---- elastic


@pytest.mark.parametrize(("alpha", "sigma"), [(8.0, 2.0), (34.0, 4.0), (1.0, 0.1), (100.0, 7.0)])
def test_elastic_is_scipys_gaussian_and_interpolation(alpha, sigma):
    bent = images_of(augment.elastic(Dataset(MANY.X.astype(float), LABELS), alpha, sigma, seed=4))
    raw = np.random.PCG64(4).random_raw(300 * 2 * 49) >> np.uint64(11)
    fields = (raw * 2.0**-52 - 1).reshape(300, 2, 7, 7)
    for image, (dx, dy), mine in zip(IMAGES, fields, bent, strict=True):
        dx, dy = (
            alpha * ndimage.gaussian_filter(d, sigma, mode="constant", truncate=4) for d in (dx, dy)
        )
        rows, columns = np.indices((7, 7))
        places = [rows + dy, columns + dx]
        theirs = ndimage.map_coordinates(image.astype(float), places, order=1, mode="grid-constant")
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10)  # of 255
    assert np.abs(bent - IMAGES).mean() > 1


def test_bytes_are_the_real_numbers_rounded():
    for call in (CALLS["rotate"], CALLS["affine"], CALLS["elastic"]):
        real = call(Dataset(MANY.X.astype(float), LABELS)).X
        np.testing.assert_array_equal(call(MANY).X, np.rint(real))
        assert real.min() >= 0
        assert real.max() <= 255 * (1 + 1e-15)


# ---- what all have in common


@each_call
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_type_scale_and_labels_are_those_of_the_data_which_stay_as_they_are(call, dtype):
    given = Dataset(MANY.X.astype(dtype), LABELS, 1 / 256, sparse=False)
    made = call(given)
    assert isinstance(made, Dataset)
    assert made.X.dtype == dtype
    assert made.scale == 1 / 256
    assert made.sparse is False
    assert not made.X.flags.writeable
    assert not made.y.flags.writeable
    np.testing.assert_array_equal(made.y, np.tile(LABELS, len(made) // 300))
    np.testing.assert_array_equal(given.X, MANY.X)


@each_call
def test_the_layout_and_the_form_of_the_data_make_no_difference(call):
    expected = call(Dataset(MANY.X, LABELS))
    wide = np.zeros((300, 60), np.uint8)
    wide[:, :49] = MANY.X
    for X in (np.asfortranarray(MANY.X), wide[:, :49], MANY.X[::-1].copy()[::-1]):
        with pytest.warns(UserWarning, match="used unscaled; fastnet.Dataset"):
            made = call((X, LABELS))
        np.testing.assert_array_equal(made.X, expected.X)


@pytest.mark.parametrize("name", ["rotate", "affine", "elastic"])
def test_the_same_seed_gives_the_same_images_and_another_others(name):
    call = {
        "rotate": lambda seed, data=MANY: augment.rotate(data, 20, seed=seed),
        "affine": lambda seed, data=MANY: augment.affine(data, 9, 0.1, 0.2, seed=seed),
        "elastic": lambda seed, data=MANY: augment.elastic(data, 8, 2, seed=seed),
    }[name]
    np.testing.assert_array_equal(call(7).X, call(7).X)
    np.testing.assert_array_equal(call(7).X, call(np.random.PCG64(7)).X)
    assert (call(7).X != call(8).X).any()
    assert (call(None).X != call(None).X).any()
    # an image's own numbers do not depend on those that follow it
    np.testing.assert_array_equal(call(7).X[:10], call(7, MANY[:10]).X)
    generator = np.random.default_rng(7)
    assert (call(generator).X != call(generator).X).any()  # shared: it moves on


def test_importing_fastnet_does_not_import_scipy():
    program = "import sys, fastnet; print('scipy' in sys.modules, fastnet.augment.__name__)"
    ran = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "fastnet.augment"]


# ---- bad input


@each_call
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((np.ones((2, 10)), [0, 1]), "data: expected square images, got 10 pixels per example"),
        ((sparse.csr_array(np.eye(4)), [0, 1, 1, 0]), "data: expected images as a dense array"),
        ((np.ones((2, 9)), [0]), "data: y: expected as many examples as X"),
        (5, "data: expected a Dataset, "),
    ],
)
def test_data_that_are_no_square_images_are_refused(call, given, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        call(given)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: augment.shift(MANY, 7, 0), "dx: expected at most 6 for images 7 wide, got 7"),
        (lambda: augment.shift(MANY, 0, -7), "dy: expected -6 or more, got -7"),
        (lambda: augment.shift(MANY, 0.5, 0), "dx: expected an integer, got 0.5"),
        (lambda: augment.expand_by_shifts(MANY, 0), "pixels: expected 1 or more, got 0"),
        (lambda: augment.expand_by_shifts(MANY, 7), "pixels: expected at most 6 for images"),
        (lambda: augment.rotate(MANY, -5), "degrees: expected a finite number of 0 or more"),
        (lambda: augment.rotate(MANY, "5"), "degrees: expected a number, got '5'"),
        (lambda: augment.rotate(MANY, (5, -5)), r"degrees: expected a number, or \(lowest, high"),
        (lambda: augment.rotate(MANY, (0, math.nan)), r"degrees: expected .* got \(0, nan\)"),
        (lambda: augment.rotate(MANY, (1, 2, 3)), r"degrees: expected .* got \(1, 2, 3\)"),
        (lambda: augment.rotate(MANY, ("a", "b")), r"degrees: expected .* got \('a', 'b'\)"),
        (lambda: augment.affine(MANY, scaling=1.0), "scaling: expected factors of more than 0"),
        (lambda: augment.affine(MANY, scaling=(0, 1)), "scaling: expected factors of more than 0"),
        (lambda: augment.affine(MANY, shear=math.inf), "shear: expected a finite number of 0"),
        (lambda: augment.elastic(MANY, -1, 4), "alpha: expected a finite number of 0 or more"),
        (lambda: augment.elastic(MANY, 1, 0), "sigma: expected more than 0, at most the side, 7;"),
        (lambda: augment.elastic(MANY, 1, 8), "sigma: expected more than 0, .* got 8"),
        (lambda: augment.elastic(MANY, 1, None), "sigma: expected a number, got None"),
        (lambda: augment.elastic(MANY, 1, 4, seed=-1), "seed: expected None, a non-negative int"),
        (lambda: augment.rotate(MANY, 1, seed="x"), "seed: expected None, a non-negative int"),
    ],
)
def test_a_bad_argument_is_refused(call, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        call()


def test_a_refused_call_draws_nothing_from_a_generator_that_is_shared():
    generator = np.random.default_rng(3)
    with pytest.raises(ValueError, match=r"^data: "):
        augment.elastic((np.ones((2, 10)), [0, 1]), 34, 4, seed=generator)
    with pytest.raises(ValueError, match=r"^degrees: "):
        augment.rotate(MANY, -1, seed=generator)
    assert generator.random() == np.random.default_rng(3).random()


def test_expanded_data_train_like_any_other():
    net, twin = (fastnet.Network([49, 10], seed=1) for _ in range(2))
    five = augment.expand_by_shifts(MANY)
    net.SGD(five, 2, 10, 0.5, verbose=False)
    twin.SGD(Dataset(five.X.copy(), five.y.copy(), 1 / 256), 2, 10, 0.5, verbose=False)
    assert net == twin
