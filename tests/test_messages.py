"""Messages about values of any length stay short."""

import numpy as np
import pytest

import fastnet
from fastnet import EarlyStopping, Network, augment
from fastnet.core import checks

LONG = "v" * 300_000


class Unspeakable:
    """Cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no text for this")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        ("name", "'name'"),
        ([1, 2], "[1, 2]"),
        (LONG, "a str"),
        ([LONG], "a list"),
        (list(range(10**6)), "a list"),
        ({LONG: 1}, "a dict"),
        (np.zeros((5, 5)), "a ndarray"),
        (10**80, str(10**80)),
        (-(10**3000), "a int"),
        (10**5000, "a int"),
        (Unspeakable(), "a Unspeakable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_where_that_is_short_and_else_its_type(value, shown):
    assert checks.short_repr(value) == shown


DATA = fastnet.Dataset(np.eye(3, dtype=np.uint8), [0, 1, 1])
NUMBER = 10**4000


def in_class_weight(label):
    Network([3, 2]).SGD(DATA, 1, 1, 0.5, class_weight={label: 1})


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: checks.integer("n", -NUMBER, 1),
        lambda: checks.index("n", NUMBER, 3),
        lambda: checks.positive("n", NUMBER),
        lambda: checks.nonnegative("n", -NUMBER),
        lambda: checks.share("n", NUMBER),
        lambda: checks.fraction("n", NUMBER),
        lambda: checks.path("filename", [LONG]),
        lambda: Network([3, 2], seed=1).save([LONG]),
        lambda: Network([3, 2], LONG),
        lambda: Network([3, 2], [LONG]),
        lambda: Network([3, 2], output=LONG),
        lambda: Network([3, 2], initializer=LONG),
        lambda: Network([3, 2], seed=LONG),
        lambda: fastnet.Dataset(np.eye(3), [0, 1, 1], sparse=LONG),
        lambda: DATA[LONG],
        lambda: EarlyStopping(LONG),
        lambda: fastnet.find_learning_rate(LONG, DATA),
        lambda: fastnet.find_learning_rate(Network([3, 2]), DATA, schedule=LONG),
        lambda: fastnet.HalveOnPlateau(stop_at=NUMBER),
        lambda: fastnet.CosineDecay(floor=NUMBER),
        lambda: fastnet.fit_many([{LONG: 1}], DATA),
        lambda: in_class_weight(LONG),
        lambda: augment.elastic(DATA, scaling=[LONG]),
        lambda: fastnet.read_idx([LONG]),
    ],
)
def test_a_message_about_a_long_value_is_short(refuse):
    with pytest.raises((TypeError, ValueError, IndexError)) as caught:
        refuse()
    assert len(str(caught.value)) < 600
