"""Record the plans of many calls: tests/data/plans.txt, which tests/test_plan.py compares with.

    python tools/record_plans.py             # write the table
    python tools/record_plans.py --check     # print what differs, and fail if anything does

Plans are a pure function of the call, so that any machine records all instruction sets. The legend
at the head of the table explains its lines. Run it after a threshold (csrc/core/thresholds.def) was
changed on purpose, and review the lines that changed.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fastnet.core import _kernels

RECORD = Path(__file__).parent.parent / "tests" / "data" / "plans.txt"

LEGEND = """\
# Plans of many calls (fn_plan, csrc/core/plan.h) on each instruction set and of both types; written
# by tools/record_plans.py, compared by tests/test_plan.py. A line says
#
#   sizes m=mini-batch n=examples options | targets: first layer, gradient, notes; steps
#
# options   what differs from training dense rows on one thread with the plain optimizer
# targets   instruction sets, for both types or one (f32, f64); "all": all of them; "-halves": on a
#           processor that computes vectors of AVX-512 in two halves
# first layer  from what it is computed: dense rows, lists, blocks
# gradient  how it changes the weights: fused update, streamed gradient, collected gradient
# notes     "pieces of p": p examples at a time; of lists "of e, passes of v": e examples in each,
#           v vectors of a weight row in a pass of the update; flags of fn_plan
# steps     one for each number of examples that are computed together, separated by semicolons:
#           "m: layer | layer", from the first layer to the output
# layer     forward/error/update (notes): the kernels of its weighted inputs, of the error of the
#           layer below ("none" in the first layer) and of its update. Notes: "errors of e": of e
#           examples at once; "rest by k": those that are left over by kernel k; "kept inputs
#           f/u": the forward step and the update where inputs were left out; flags of
#           fn_layer_plan; "prefetch": the second operand is fetched ahead
#
# Two kinds of lines are shorter: "form, outputs, density | targets: form" is the form of the inputs
# that is chosen for 784 inputs of that density; "threads, sizes m density most | targets: n" the
# number of threads of "most" that are used.
"""

# (instruction set, whether the processor computes AVX-512 vectors in halves)
TARGETS = {
    "baseline": ("baseline", False),
    "avx2": ("avx2", False),
    "avx2-halves": ("avx2", True),
    "avx512": ("avx512", False),
    "avx512-halves": ("avx512", True),
    "neon": ("neon", False),
}
DTYPES = ("float32", "float64")


def networks() -> Iterator[dict[str, Any]]:
    """The networks of bench/, each as it is trained there, and one with all techniques."""
    for sizes, m in (
        ([1, 1], 1), ([4, 16, 2], 1), ([4, 16, 2], 32), ([8, 64, 64, 4], 8), ([13, 64, 64, 1], 32),
        ([30, 100, 1], 64), ([54, 100, 7], 200), ([50, 4], 64), ([64, 100, 10], 16),
        ([784, 30, 10], 10), ([784, 100, 10], 10), ([784, 100, 10], 64), ([784, 128, 10], 200),
        ([784, 100, 100, 100, 10], 10), ([784, 256, 256, 10], 64), ([256, 256, 256, 10], 128),
        ([784, 1024, 1024, 10], 256), ([784, 1024, 1024, 10], 2000),
    ):  # fmt: skip
        yield {"sizes": sizes, "m": m, "n": 5003}
        if sizes[0] == 784:
            for form, density in (("columns", 0.19), ("masks", 0.19), ("columns", 0.02)):
                yield {"sizes": sizes, "m": m, "n": 5003, "form": form, "density": density}
    sizes = [784, 1024, 1024, 10]
    yield {"sizes": sizes, "m": 256, "n": 5003, "threads": 2}
    yield {"sizes": sizes, "m": 200, "n": 5003, "threads": 3, "form": "columns", "density": 0.1}
    for optimizer in ("plain", "momentum", "adamw"):
        for form, m in (("dense", 10), ("columns", 10), ("columns", 64), ("columns", 65)):
            yield {
                **{"sizes": [784, 100, 30, 10], "m": m, "n": 603, "form": form, "density": 0.2},
                **{"optimizer": optimizer, "l2": 0.1, "hidden": ["gelu", "relu"]},
                **{"dropout": [0.0, 0.5]},
            }
    yield {"sizes": [20, 30, 3], "m": 10, "n": 40, "l2": 0.1, "l1": 0.1}
    yield {"sizes": [20, 30, 3], "m": 3000, "n": 7000, "cost": None}
    for call in ("gradient", "evaluate"):
        yield {"sizes": [784, 100, 10], "m": 1, "n": 5003, "call": call}
        yield {"sizes": [784, 100, 10], "m": 1, "n": 40, "call": call, "form": "columns",
               "density": 0.2}  # fmt: skip


def beside(*values: float) -> Iterator[float]:
    """Each threshold, just below it and just above it."""
    for value in values:
        step = 1 if isinstance(value, int) else 1e-9
        yield from (value - step, value, value + step)


def boundaries() -> Iterator[dict[str, Any]]:
    """A layer, or a call, just below, at and just above each threshold."""
    for n_out in beside(128):
        yield {"sizes": [300, n_out], "m": 64, "n": 64}
        yield {"sizes": [300, n_out, 5], "m": 100, "n": 100}
    for m in beside(64, 128):
        yield {"sizes": [300, 130, 130], "m": m, "n": m}
    for n_in in (*beside(128), 1000, 1001, 1100):  # large tiles: sides, and bytes
        yield {"sizes": [n_in, 2048, 2048], "m": 256, "n": 256}
    for n_in in (643, 644, 645, 1285, 1286, 1287):  # 4,000,000 bytes
        yield {"sizes": [n_in, 500], "m": 593, "n": 593}
    for m in (*beside(2, 4, 8, 16), 5, 6, 10, 11, 20, 21):  # eighths of vectors of examples
        yield {"sizes": [40, 50, 60], "m": m, "n": m}
    for n_out in beside(2, 4, 8, 10, 16):  # narrow layers, and vectors of outputs
        for m in (3, 4, 8, 16, 40):
            yield {"sizes": [40, 50, n_out], "m": m, "n": m}
    for m in (1023, 1024, 1025, 1124):  # pieces
        yield {"sizes": [20, 30, 3], "m": m, "n": 2 * m + 7}
    for n in beside(64):  # of evaluations
        yield {"sizes": [20, 30, 3], "m": 1, "n": n, "call": "evaluate"}
    for n_out, ms in (
        (48, (63, 64)),
        (64, (24, 25, 31, 32, 64, 65)),
        (80, (10, 15, 16)),
        (96, (8, 10, 11)),
        (112, (3, 4, 5, 6, 7, 8)),
        (128, (3, 4, 5, 6, 7)),
        (129, (5, 6)),
        (256, (3, 4, 5, 6, 65)),
    ):  # blocks
        for m in ms:
            yield {"sizes": [784, n_out], "m": m, "n": m, "form": "columns", "density": 0.19}
    for density in beside(0.1):
        yield {"sizes": [784, 256], "m": 64, "n": 64, "form": "columns", "density": density}
    for n in (32767, 32768, 32769):  # bytes of all inputs: prefetched
        yield {"sizes": [4, 3], "m": 1, "n": n, "input_bytes": 1}
    for n_out in (335, 350, 1024):  # bytes of the second operand: prefetched
        yield {"sizes": [784, n_out, 1024], "m": 64, "n": 64}


def given(case: dict[str, Any]) -> str:
    rest = {key: value for key, value in case.items() if key not in ("sizes", "m", "n")}
    words = "".join(f" {key}={value}" for key, value in rest.items())
    return f"{case['sizes']} m={case['m']} n={case['n']}{words}".replace("'", "")


def of_layer(n_in: int, layer: dict[str, Any]) -> str:
    words = "/".join(layer[key].replace(" ", "-") for key in ("forward", "error", "update"))
    notes = [f"errors of {layer['error_examples']}"] if layer["error"] != "none" else []
    if layer["error_of_rest"] != layer["error"]:
        notes.append(f"rest by {layer['error_of_rest']}")
    kept = layer["forward_of_kept"], layer["update_of_kept"]
    if kept != (layer["forward"], layer["update"]):
        notes.append("kept inputs " + "/".join(kept).replace(" ", "-"))
    names = ("forward_by_neurons", "error_by_neurons", "keeps_slopes", "update_in_parts")
    notes += [name.replace("_", " ") for name in names if layer[name]]
    if n_in > layer["prefetch_terms"]:
        notes.append("prefetch")
    return f"{words} ({', '.join(notes)})" if notes else words


def planned(plan: dict[str, Any]) -> str:
    flags = ("lazy_decay", "drops_zero_inputs", "prefetches_examples", "transposes_first")
    head = [plan["first_layer"], plan["gradient"]]
    if plan["piece"] < plan["m"]:
        head.append(f"pieces of {plan['piece']}")
    if plan["first_layer"] == "lists":
        head.append(f"of {plan['examples_per_list']}, passes of {plan['list_update_vectors']}")
    head += [name.replace("_", " ") for name in flags if plan[name]]
    steps = [
        f"{step['m']}: {' | '.join(map(of_layer, plan['sizes'], step['layers']))}"
        for step in plan["steps"]
    ]
    return f"{', '.join(head)}; {'; '.join(steps)}"


def grouped(results: dict[str, str]) -> Iterator[str]:
    """Equal results together: ``targets: result``."""
    for result in dict.fromkeys(results.values()):
        equal = [target for target, each in results.items() if each == result]
        both = [isa for isa in TARGETS if {f"{isa} f32", f"{isa} f64"} <= {*equal}]
        names = both + [target for target in equal if target.partition(" ")[0] not in both]
        yield f"{'all' if both == [*TARGETS] else ', '.join(names)}: {result}"


def on_each_target(function: Callable[[str, str, bool], str]) -> dict[str, str]:
    return {
        f"{target} {dtype[0]}{dtype[-2:]}": function(dtype, isa, halves)
        for target, (isa, halves) in TARGETS.items()
        for dtype in DTYPES
    }


def lines() -> Iterator[str]:
    for n_out in (30, 96, 97, 113):
        for density in beside(0.05, 0.4, 0.55):

            def form(dtype: str, isa: str, halves: bool, case: Any = (n_out, density)) -> str:
                return _kernels.choose_input_format([784, case[0]], dtype, case[1], isa, halves)

            for line in grouped(on_each_target(form)):
                yield f"form, {n_out} outputs, density {density:.9f} | {line}"
    for case in (*networks(), *boundaries()):

        def plan(dtype: str, isa: str, halves: bool, case: dict[str, Any] = case) -> str:
            return planned(_kernels.plan(dtype=dtype, isa=isa, halves_avx512=halves, **case))

        for line in grouped(on_each_target(plan)):
            yield f"{given(case)} | {line}"
    for sizes, m, density, most in (
        *(([784, 30, 10], m, 1.0, 8) for m in (10, 1000)),
        *(([n, 50], 1000, 1.0, 8) for n in (999, 1000, 1001)),
        *(([784, 1024, 1024, 10], m, 1.0, 4) for m in (1, 2, 256)),
        *(([1000, 50, 2000], m, d, 4) for m in (9, 10, 12, 13) for d in (0.1, 1.0)),
    ):
        n = _kernels.choose_threads(sizes, m, density, most)
        yield f"threads, {sizes} m={m} density={density} most={most} | all: {n}"


def recorded() -> list[str]:
    """The lines of the table without the legend."""
    return [line for line in RECORD.read_text().splitlines() if not line.startswith("#")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    now = [*lines()]
    if not parser.parse_args().check:
        RECORD.write_text(LEGEND + "\n".join(now) + "\n")
        return
    changed = [*difflib.unified_diff(recorded(), now, "recorded", "now", n=0, lineterm="")]
    print("\n".join(changed))
    sys.exit(1 if changed else 0)


if __name__ == "__main__":
    main()
