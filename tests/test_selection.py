"""Which cases of large cross products run: all pairs of values, or as many as a mark says."""

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import selection

ROOT = Path(__file__).parent.parent


def product(*lengths):
    names = "abcdefgh"[: len(lengths)]
    return [dict(zip(names, case, strict=True)) for case in itertools.product(*map(range, lengths))]


def tuples(cases, strength=2):
    items = [itertools.combinations(sorted(case.items()), strength) for case in cases]
    return {*itertools.chain.from_iterable(items)}


@pytest.mark.parametrize("strength", [2, 3])
@pytest.mark.parametrize("lengths", [(3, 2, 6), (3, 2, 4, 6, 5), (2,) * 8, (1, 1, 1)], ids=str)
def test_the_cases_kept_have_every_pair_or_triple_of_values_of_the_product(lengths, strength):
    cases = product(*lengths)
    kept = selection.covering(cases, strength)
    assert tuples([cases[k] for k in kept], strength) == tuples(cases, strength)
    assert kept == sorted(set(kept)) == selection.covering(cases, strength)


def test_few_cases_are_kept_of_a_large_product():
    assert len(selection.covering(product(3, 2, 4, 6, 5))) <= 40  # of 720; at least 6 * 5


def test_a_product_with_holes_keeps_the_pairs_that_it_has():
    cases = [case for case in product(3, 3, 3) if case["a"] != case["b"]]
    assert tuples([cases[k] for k in selection.covering(cases)]) == tuples(cases)


class Item:
    """A test case as pytest collects it; ``strength`` is that of its mark."""

    def __init__(self, name, params, fixturenames=(), strength=None):
        self.nodeid, self.fixturenames = f"tests/test_x.py::{name}[{params}]", fixturenames
        self.callspec = type("CallSpec", (), {"params": params})
        self.mark = pytest.mark.covering(strength).mark if strength else None

    def get_closest_marker(self, name):
        return self.mark if name == "covering" else None


def kept(items, chosen=selection.redundant):
    """The values of the cases that are not left out."""
    left_out = list(chosen(items))
    assert {*left_out} <= {*items}
    return [item.callspec.params for item in items if item not in left_out]


def test_small_products_and_products_of_two_parameters_are_kept_whole():
    small = [Item("small", case) for case in product(2, 2, 2)]
    two = [Item("two", case) for case in product(8, 8)]
    large = [Item("large", case) for case in product(4, 4, 4)]
    left_out = set(selection.redundant([*small, *two, *large]))
    assert left_out < {*large}
    assert len(large) - len(left_out) < 24


@pytest.mark.parametrize("strength", [1, 2, 3])
def test_a_mark_says_how_many_values_occur_together(strength):
    cases = product(4, 4, 4, 2)
    few = kept([Item("x", case, strength=strength) for case in cases])
    assert tuples(few, strength) == tuples(cases, strength)
    assert len(few) < 1.3 * 4**strength


def test_the_quick_set_has_the_pairs_of_what_is_marked_for_triples_and_no_more_than_the_full_set():
    cases = product(4, 4, 4, 2)
    for strength, of_quick in ((1, 1), (2, 2), (3, 2)):
        items = [Item("x", case, strength=strength) for case in cases]
        assert kept(items, selection.thorough) == kept(
            [Item("x", case, strength=of_quick) for case in cases]
        )


def test_all_cases_with_a_browser_are_thorough_and_kept():
    items = [Item("page", {"width": 1}, ["browser", "width"])]
    assert list(selection.thorough(items)) == items
    assert list(selection.redundant(items)) == []


def test_make_test_every_runs_every_case_and_make_test_all_a_selection():
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    found = []
    for target in ("test-all", "test-every"):
        command = ["make", "-n", target, "ARGS=-k idx"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        (pytest_line,) = re.findall(r"^.*/pytest .*$", done.stdout, re.MULTILINE)
        assert pytest_line.endswith("-k idx")
        found.append("--cases=every" in pytest_line)
    assert found == [False, True]
