"""Matrices of SciPy whose arrays of indices are broken: refused by the name of the array, before
any routine of SciPy follows them. In processes of their own where such a one crashes."""

import subprocess
import sys

import numpy as np
import pytest

from fastnet import Dataset, Network

sparse = pytest.importorskip("scipy.sparse", reason="scipy is not installed")

DENSE = np.array([[0, 2, 0, 5, 0, 0], [8, 0, 16, 0, 0, 1], [0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]],
                 dtype=float)  # fmt: skip

# {format: [(what is set, to what, the beginning of the message)]}
BROKEN = {
    "csr": [
        (
            "indices",
            [1, 3, 0, 2, 99, 0, 1, 2, 3, 4, 5],
            "expected columns from 0 to 5, got 0 to 99",
        ),
        (
            "indices",
            [1, 3, 0, 2, -9, 0, 1, 2, 3, 4, 5],
            "expected columns from 0 to 5, got -9 to 5",
        ),
        ("indices", [1, 3], "expected 11 elements or more"),
        ("indices", [[1], [3]], "expected one dimension"),
        ("indices", [0.5] * 11, "expected integers, got float64"),
        ("indptr", [0, 2, 5], "expected 5 entries, got 3"),
        ("indptr", [0, 2, 5, 5, 10**9], "_or_"),
        ("indptr", [0, 5, 2, 5, 11], "expected entries that do not descend, got 2 after 5"),
        ("indptr", [-3, 2, 5, 5, 11], "expected 0 as the first entry, got -3"),
        ("indptr", [], "expected 5 entries, got 0"),
        ("data", np.ones((11, 0)), "expected 1 dimension(s), got shape (11, 0)"),
        ("data", [1.0, 2.0], "expected 11 elements or more, the last entry of indptr, got 2"),
    ],
    "csc": [
        ("indices", [1, 3, 0, 2, 99, 0, 1, 2, 3, 2, 3], "expected rows from 0 to 3, got 0 to 99"),
        ("indices", [1, 3, 0, 2, -1, 0, 1, 2, 3, 2, 3], "expected rows from 0 to 3, got -1 to 3"),
        ("indices", [0], "expected 11 elements or more"),
        ("indptr", [0, 2, 4, 6, 8, 9, 10**9], "_or_"),
        ("indptr", [0, 2, 4, 6, 8], "expected 7 entries, got 5"),
        ("indptr", [0, 4, 2, 6, 8, 9, 11], "expected entries that do not descend, got 2 after 4"),
        ("data", [1.0], "expected 11 elements or more"),
        ("data", np.ones((11, 0)), "expected 1 dimension(s), got shape (11, 0)"),
    ],
    "bsr": [
        ("indices", [0, 1, 2, 0, 1, 99], "expected columns of blocks from 0 to"),
        ("indices", [0, 1, 2, 0, 1, -2], "expected columns of blocks from 0 to"),
        ("indices", [0], "expected"),
        ("indptr", [0, 10**6, 10**9], "_or_"),
        ("indptr", [0, 10**6], "expected"),
        ("data", np.ones((1, 2, 2)), "expected"),
        ("data", np.ones((6, 3, 5)), "expected blocks (n_blocks, rows, columns) that divide"),
        ("data", np.ones(7), "expected blocks"),
    ],
    "coo": [
        ("row", [0, 0, 1, 1, 1, 3, 3, 3, 3, 3, 99], "expected indices from 0 to 3, got 0 to 99"),
        ("row", [0, 0, 1, 1, 1, 3, 3, 3, 3, 3, -4], "expected indices from 0 to 3, got -4 to 3"),
        ("row", [0, 1], "expected as many as data, 11, got 2"),
        ("col", [1, 3, 0, 2, 5, 0, 1, 2, 3, 4, 10**8], "expected indices from 0 to 5, got 0 to"),
        ("col", [1, 3, 0, 2, 5, 0, 1, 2, 3, 4, -1], "expected indices from 0 to 5, got -1 to 5"),
        ("col", [], "expected as many as data, 11, got 0"),
        ("data", [1.0], "_or_"),
    ],
    "dia": [
        ("offsets", [0, 1], "expected one for each row of data, got 2 for data of shape"),
        ("offsets", [0] * 7, "expected"),
        ("offsets", [0.5] * 8, "expected"),
        ("data", np.ones((2, 3)), "_or_"),
        ("data", np.ones(3), "_or_"),
    ],
    "lil": [
        (
            "rows",
            [[1, 99], [0, 2, 5], [], [0, 1, 2, 3, 4, 5]],
            "expected columns from 0 to 5, got 0 to 99",
        ),
        (
            "rows",
            [[1, -7], [0, 2, 5], [], [0, 1, 2, 3, 4, 5]],
            "expected columns from 0 to 5, got -7 to 5",
        ),
        ("rows", [[1, 2, 3, 4], [0, 2, 5], [], [0, 1, 2, 3, 4, 5]], "expected as many columns as"),
        ("rows", [[1], [0, 2, 5], [], [0, 1, 2, 3, 4, 5]], "expected as many columns as"),
        ("rows", [[1, 2], []], "expected 4 lists"),
        ("rows", [1, 2, 3, 4], "expected 4 lists"),
        ("data", [[], [], [], []], "_or_"),
    ],
}
CASES = [
    (form, kind, *case)
    for form, cases in BROKEN.items()
    for kind in ("matrix", "array")
    for case in cases
]


def objects(lists):
    """An array of lists, as of a matrix of lists."""
    made = np.empty(len(lists), object)
    made[:] = lists
    return made


def broken(form, kind, name, value):
    blocks = {"blocksize": (2, 2)} if form == "bsr" else {}
    S = getattr(sparse, f"{form}_{kind}")(DENSE, **blocks)
    if form == "lil":
        setattr(S, name, objects(value))
    else:
        array = np.array(value)
        if array.dtype == np.int64 and array.size:
            array = array.astype(np.int32)
        setattr(S, name, array)
    return S


@pytest.mark.parametrize(("form", "kind", "name", "value", "words"), CASES)
def test_broken_arrays_are_refused_by_name(form, kind, name, value, words):
    S = broken(form, kind, name, value)
    for call, prefix in (
        (lambda: Dataset(S, [0, 1, 0, 1]), "X."),
        (lambda: Network([6, 2], seed=1).feedforward(S), "a."),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        message = str(caught.value)
        assert message.startswith(prefix)
        if words != "_or_":  # which of two that do not fit is named does not matter
            assert message.startswith(f"{prefix}{name}: {words}")


@pytest.mark.parametrize("key", [(9, 0), (0, 6), (-1, 2), (0, -10), (10**9, 10**9), (0,), "ab", 3])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_broken_keys_are_refused_by_name(kind, key):
    S = getattr(sparse, f"dok_{kind}")(DENSE)
    if not hasattr(S, "_dict"):
        pytest.skip("this SciPy keeps them elsewhere")
    S._dict[key] = 1.0
    with pytest.raises(
        ValueError, match=r"^X\.keys: expected \(row, column\) within \(4, 6\), got"
    ):
        Dataset(S, [0, 1, 0, 1])


PROGRAM = """
import numpy as np, scipy.sparse as sparse, sys
from fastnet import Dataset, Network
n = 2000
S = sparse.random(n, n, 0.01, "csr", random_state=1)
S = sparse.csr_matrix((S.data, S.indices[::-1].copy(), S.indptr), shape=S.shape)
S = S.asformat(sys.argv[1])
name, value = sys.argv[2], int(sys.argv[3])
getattr(S, name)[...] = value
for call in (lambda: Dataset(S, np.arange(n) % 2), lambda: Network([n, 2]).feedforward(S)):
    try:
        call()
    except ValueError as error:
        assert f".{name}: expected" in str(error), error
    else:
        raise AssertionError("taken")
"""


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), 10**7])
@pytest.mark.parametrize(("form", "name"), [
    ("csr", "indices"), ("csr", "indptr"), ("csc", "indices"), ("csc", "indptr"),
    ("bsr", "indices"), ("bsr", "indptr"), ("coo", "row"), ("coo", "col"),
])  # fmt: skip
def test_arrays_that_lead_far_away_do_not_crash(form, name, value):
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, form, name, str(value)], capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# ---- what is not broken


def rows_of(S):
    return np.array([row for row, _ in Dataset(S, [0, 1, 0, 1])])[:, :, 0]


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", [*BROKEN, "dok"])
def test_sound_matrices_of_every_format_are_what_they_were_and_stay_so(form, kind):
    S = getattr(sparse, f"{form}_{kind}")(DENSE)
    np.testing.assert_array_equal(rows_of(S), DENSE)
    np.testing.assert_array_equal(S.toarray(), DENSE)


def test_what_a_matrix_says_of_its_order_is_not_believed():
    columns, values = np.array([3, 1, 3, 0, 2]), np.array([1.0, 2, 4, 8, 16])
    S = sparse.csr_matrix((values, columns, [0, 3, 5, 5, 5]), shape=(4, 4))
    S.has_canonical_format = True  # which it is not
    np.testing.assert_array_equal(rows_of(S)[:2], [[0, 2, 0, 5], [8, 0, 16, 0]])
    assert S.indices.tolist() == columns.tolist()


def test_diagonals_beyond_the_matrix_hold_nothing():
    for offset in (9, -9, 6, -4):
        S = sparse.dia_matrix((np.ones((1, 6)), [offset]), shape=(4, 6))
        np.testing.assert_array_equal(rows_of(S), np.zeros((4, 6)))
    S = sparse.dia_matrix((np.ones((3, 6)), [0, 1, 4]), shape=(4, 6))
    expected = S.toarray()
    S.offsets = np.array([0, 1, 10**9])
    np.testing.assert_array_equal(rows_of(S), np.eye(4, 6) + np.eye(4, 6, 1))
    S.offsets = np.array([0, 1, 4])
    np.testing.assert_array_equal(rows_of(S), expected)


def test_something_that_only_looks_like_a_matrix_is_refused():
    class Like:
        shape = (4, 6)

        def tocsr(self):
            return self

    class Lying(Like):
        data, indices, indptr = np.ones(3), np.array([0, 1, 9]), np.array([0, 1, 2, 3, 3])

    with pytest.raises(AttributeError):
        Dataset(Like(), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"^X\.indices: expected columns from 0 to 5, got 0 to 9"):
        Dataset(Lying(), [0, 1, 0, 1])
