"""The quick set of tests keeps all pairs of values of large cross products."""

import itertools

import pytest
import selection


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
    def __init__(self, name, params, fixturenames=()):
        self.nodeid, self.fixturenames = f"tests/test_x.py::{name}[{params}]", fixturenames
        self.callspec = type("CallSpec", (), {"params": params})


def test_small_products_and_products_of_two_parameters_are_kept_whole():
    small = [Item("small", case) for case in product(2, 2, 3)]
    two = [Item("two", case) for case in product(8, 8)]
    large = [Item("large", case) for case in product(4, 4, 4)]
    thorough = list(selection.thorough_items([*small, *two, *large]))
    assert {*thorough} < {*large}
    assert len(large) - len(thorough) < 24


def test_all_cases_with_a_browser_are_thorough():
    items = [Item("page", {"width": 1}, ["browser", "width"])]
    assert list(selection.thorough_items(items)) == items
