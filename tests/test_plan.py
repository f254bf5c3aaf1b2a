"""The plans of calls: the recorded table, and that the kernels follow their plan."""

import difflib
import re
import runpy
from pathlib import Path

import pytest

from fastnet.core import _kernels, execution

ROOT = Path(__file__).parent.parent
RECORDER = runpy.run_path(str(ROOT / "tools/record_plans.py"))


def test_plans_are_as_recorded_on_every_machine():
    """A change on purpose is recorded by python tools/record_plans.py, and reviewed."""
    now, recorded = [*RECORDER["lines"]()], RECORDER["recorded"]()
    changed = [*difflib.unified_diff(recorded, now, "recorded", "now", n=0, lineterm="")]
    assert not changed, "\n".join(changed[:40])


def test_the_record_begins_with_its_legend():
    text = RECORDER["RECORD"].read_text()
    assert text == RECORDER["LEGEND"] + "\n".join(RECORDER["recorded"]()) + "\n"


def test_the_record_covers_every_way_of_every_part():
    text = "\n".join(RECORDER["recorded"]())
    header = (ROOT / "csrc/core/plan.h").read_text()
    words = re.findall(
        r'T\(FN_(?:ENTER|FORWARD|ERROR|UPDATE|FUSED|STREAMED|COLLECTED)_\w+, "(.*?)"', header
    )
    words += re.findall(r'T\(FN_(?:FUSED|STREAMED|COLLECTED)_\w+, "(.*?)"', header)
    assert len(words) > 15
    assert [each for each in words if each.replace(" ", "-") not in text.replace(" ", "-")] == []


@pytest.mark.parametrize(
    "name",
    re.findall(
        r"^(?:THRESHOLD|ALIKE)\(\w+, (\w+),", (ROOT / "csrc/core/thresholds.def").read_text(), re.M
    ),
)
def test_every_threshold_is_explained(name):
    assert f"| `{name}` |" in (ROOT / "docs/tuning.md").read_text()


def test_a_plan_is_a_pure_function_of_the_call():
    first = _kernels.plan([784, 100, 10], "float32", 64, 500, isa="avx512", halves_avx512=False)
    before = _kernels.isa()
    try:
        for isa in _kernels.available():
            _kernels.select(isa)
            again = _kernels.plan(
                [784, 100, 10], "float32", 64, 500, isa="avx512", halves_avx512=False
            )
            assert again == first
    finally:
        _kernels.select(before)


def test_the_smaller_last_mini_batch_and_pieces_have_steps_of_their_own():
    def steps(m, n, **options):
        plan = _kernels.plan([20, 30, 3], "float32", m, n, **options)
        return [step["m"] for step in plan["steps"]]

    assert steps(10, 100) == [10]
    assert steps(10, 103) == [10, 3]
    assert steps(10, 3) == [10, 3]
    assert steps(1500, 4000) == [1024, 476, 1000]
    assert steps(1024, 4000) == [1024, 928]
    assert steps(1500, 4000, cost=None) == [1500, 1000]
    assert steps(1, 130, call="evaluate") == [64, 2]
    assert steps(1, 2100, call="gradient") == [1024, 52]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call", ["train", "gradient", "evaluate", "jacobian"])
def test_a_plan_says_what_replaces_narrow_kernels_where_inputs_are_left_out(call, threads):
    """They read consecutive rows of weights. Threads that share a mini-batch leave no input out."""
    options = {"isa": "avx512", "call": call, "threads": threads}
    plan = _kernels.plan([50, 4, 3], "float32", 64, **options)
    first, second = plan["steps"][0]["layers"]
    trained = call in ("train", "gradient")
    update = "narrow" if trained else "none"
    assert [(each["forward"], each["update"]) for each in (first, second)] == [
        ("narrow", update)
    ] * 2
    assert (second["forward_of_kept"], second["update_of_kept"]) == ("narrow", update)
    left_out = threads == 1 or not trained
    replaced = ("tiles", "tiles" if trained else "none") if left_out else ("narrow", "narrow")
    assert (first["forward_of_kept"], first["update_of_kept"]) == replaced
    text, tiles = "\n".join(execution.described(plan)), "by tiles where inputs are left out"
    n_steps = len(plan["steps"])
    assert text.count(f"forward by narrow, {tiles}") == left_out * n_steps
    assert text.count(f"update by narrow in parts, {tiles}") == (left_out and trained) * n_steps


@pytest.mark.parametrize(
    ("isa", "dtype", "lanes"),
    [("baseline", "float32", 4), ("avx2", "float64", 4), ("avx2", "float32", 8),
     ("avx512", "float64", 8), ("avx512", "float32", 16), ("neon", "float64", 2)],
)  # fmt: skip
@pytest.mark.parametrize("n_in", [1, 4, 5, 16, 17, 784])
def test_zero_inputs_are_left_out_if_they_are_more_than_an_eighth_and_a_vector(
    n_in, isa, dtype, lanes
):
    plan = _kernels.plan([n_in, 3], dtype, 10, isa=isa)
    assert plan["most_zeros"] == n_in // 8 + lanes
    assert plan["drops_zero_inputs"] == (n_in > lanes)  # a single vector never has more


def test_a_plan_says_nothing_of_inputs_left_out_where_the_kernels_are_the_same():
    plan = _kernels.plan([50, 20], "float32", 64, isa="avx512")
    assert plan["drops_zero_inputs"]
    assert "where inputs are left out" not in "\n".join(execution.described(plan))


# Plans in which every part of a plan is of use.
USED = [
    {"sizes": [784, 130, 10], "m": 64, "n": 1000, "hidden": ["gelu"], "optimizer": "adam"},
    {"sizes": [784, 10], "m": 10, "form": "masks", "density": 0.2, "by_blocks": False, "l2": 0.1},
    {"sizes": [784, 300, 10], "m": 64, "form": "columns", "density": 0.2, "by_blocks": True,
     "optimizer": "momentum"},
    {"sizes": [900, 900, 900], "m": 2000, "threads": 2},
    {"sizes": [50, 4], "m": 64, "dtype": "float64"},
    {"sizes": [50, 40, 30], "m": 200, "call": "gradient", "isa": "avx2", "halves_avx512": True},
    {"sizes": [50, 40, 30], "m": 200, "call": "evaluate"},
    {"sizes": [50, 40, 30], "m": 200, "call": "jacobian", "hidden": ["gelu"]},
]  # fmt: skip


def others(value, values):
    """Other values of an entry of a plan: of a word, those in other plans."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1]
    if isinstance(value, list):
        return [value[:-1]]
    return [each for each in values if each != value]


def entries(plan):
    """(name, dict) of each entry of a plan, of its steps and of their layers."""
    for part in (plan, *plan["steps"], *(one for step in plan["steps"] for one in step["layers"])):
        for key in part:
            yield key, part


def test_the_plan_in_words_changes_with_every_entry():
    plans = [
        _kernels.plan(**{"dtype": "float32", "isa": "avx512", "halves_avx512": False, **each})
        for each in USED
    ]
    values, told = {}, set()
    for plan in plans:
        for key, part in entries(plan):
            if key not in ("sizes", "steps", "layers"):
                values.setdefault(key, set()).add(part[key])
    for plan in plans:
        text = execution.described(plan)
        for key, part in entries(plan):
            value = part[key]
            for other in others(value, values.get(key)):
                part[key] = other
                told |= {key} if execution.described(plan) != text else set()
            part[key] = value
        assert execution.described(plan) == text
    assert {key for plan in plans for key, _ in entries(plan)} - told == set()


@pytest.mark.parametrize(
    ("sizes", "n", "transposes"),
    [
        ([784, 30, 10], 7, True),  # 6 examples at once
        ([784, 30, 10], 6, False),  # a single step
        ([16, 30, 10], 7, True),
        ([15, 30, 10], 7, False),  # less than a vector
        ([784, 10], 70, False),  # the last layer's weights always are
        ([2000, 2000, 128], 7, False),  # large tiles transpose as they copy
    ],
    ids=str,
)
def test_a_jacobian_of_several_steps_transposes_the_first_weights_once(sizes, n, transposes):
    plan = _kernels.plan(sizes, "float32", n, call="jacobian", isa="avx512", halves_avx512=False)
    assert plan["transposes_first"] == transposes
    for step in plan["steps"]:
        assert (step["layers"][0]["error"] == "none") == (transposes or len(sizes) == 2)
    trained = _kernels.plan(sizes, "float32", 1, 70, isa="avx512")
    assert not trained["transposes_first"]


def test_a_step_of_many_layers_has_them_all():
    sizes = [3] * 12
    plan = _kernels.plan(sizes, "float64", 5)
    assert [len(step["layers"]) for step in plan["steps"]] == [11]
    assert plan["sizes"] == sizes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"m": 0}, "m, n, threads: expected at least 1, 0 and 1, got 0, None, 1"),
        ({"m": 1, "isa": "sse"}, "isa: expected one of baseline, avx2, avx512, neon; got 'sse'"),
        (
            {"m": 1, "call": "learn"},
            "call: expected one of train, gradient, evaluate, jacobian; got 'learn'",
        ),
        ({"m": 1, "form": "rows"}, "form: expected one of dense, columns, masks; got 'rows'"),
    ],
)
def test_a_plan_of_what_there_is_not_is_an_error(options, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        _kernels.plan([3, 2], "float32", **options)
