"""The number of threads of a call, and descriptions of plans.

The kernels make the plan of a call (csrc/core/plan.c); this module only describes it in words.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastnet.core import _kernels, checks

_default = 1


def set_num_threads(n: int) -> None:
    """Let each call use up to ``n`` threads, for networks that were made without ``n_threads``.

    Only layers that are large enough to gain from threads use more than one. The threads end
    with the call. The results are the same to the last bit for every number of threads.

    Parameters
    ----------
    n : int
        1 or more; the initial value is 1.

    Raises
    ------
    ValueError, TypeError
        If ``n`` is less than 1 or not an integer.

    Examples
    --------
    >>> import fastnet
    >>> fastnet.set_num_threads(2)
    >>> fastnet.get_num_threads()
    2
    >>> fastnet.set_num_threads(1)
    """
    global _default
    _default = checks.integer("n", n, 1)


def get_num_threads() -> int:
    """The number of threads that ``set_num_threads`` set.

    Examples
    --------
    >>> import fastnet
    >>> fastnet.get_num_threads()
    1
    """
    return _default


def threads(sizes: Sequence[int], m: int, X: Any, limit: int | None) -> int:
    """The number of threads that share mini-batches of m examples X: at most ``limit``, or the
    default if it is None."""
    most = min(_default if limit is None else limit, m)
    if most == 1:
        return 1
    return _kernels.choose_threads(sizes, m, getattr(X, "density", 1.0), most)


# ---- plans in words --------------------------------------------------------


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _first_layer(plan: Mapping[str, Any]) -> str:
    """From which form of the examples the first layer is computed, and how."""
    if plan["form"] == "dense":
        return "dense rows"
    first_layer: str = plan["first_layer"]
    words = f"compressed rows ({plan['form']}, density {plan['density']:.3g}, by {first_layer}"
    if first_layer == "lists" and plan["examples_per_list"] > 1:
        words += f" of up to {plan['examples_per_list']} examples"
    return words + ")"


def summary(plan: Mapping[str, Any]) -> str:
    """A plan in one line: the call, the network, the data, the threads."""
    m = plan["m"] if plan["call"] == "train" else plan["n"]
    processor = plan["isa"] + (" (AVX-512 in halves)" if plan["halves_avx512"] else "")
    return (
        f"{plan['call']} {plan['sizes']} {plan['dtype']}, {processor}: {_first_layer(plan)}, "
        f"{_counted(m, 'example')}, {_counted(plan['threads'], 'thread')}"
    )


def _of_call(plan: Mapping[str, Any]) -> Iterator[str]:
    """The decisions that are the same for all steps of a call."""
    if plan["call"] == "train":
        yield f"{_counted(plan['n'], 'example')} in a pass"
    if plan["drops_zero_inputs"]:
        yield (
            "inputs that are zero in all examples of a step are left out if they, and the pads "
            f"of the last vector, are more than {plan['most_zeros']}"
        )
    if plan["prefetches_examples"]:
        yield "the next examples are prefetched"
    if plan["transposes_first"]:
        yield "the weights of the first layer are transposed once, and multiplied by tiles"
    if plan["call"] in ("evaluate", "jacobian"):
        return
    if plan["piece"] < plan["m"]:
        yield f"{plan['m']} examples are computed in pieces of {plan['piece']}"
    if plan["first_layer"] == "lists":
        vectors = _counted(plan["list_update_vectors"], "vector")
        yield f"a pass of the update by lists changes {vectors} of a row of weights"
    if plan["call"] == "gradient":
        yield "the gradients of the steps are added up"
        return
    rows = (
        f", {plan['streamed_rows']} in the first layer" if plan["first_layer"] == "blocks" else ""
    )
    yield {
        "fused update": "the gradient is added directly to the parameters (fused update)",
        "streamed gradient": f"the optimizer receives a few rows of the gradient at a time{rows} "
        "(streamed gradient)",
        "collected gradient": "the gradient of all parameters is collected first "
        "(collected gradient)",
    }[plan["gradient"]]
    if plan["lazy_decay"]:
        yield "L2 decay of the first layer is deferred (lazy decay)"


_TILES = {"tiles", "packed tiles"}


def _way(layer: Mapping[str, Any], part: str, note: str) -> str:
    """How the forward step or the update is computed, also where inputs were left out."""
    words = f"{part} by {layer[part]}{note}"
    if layer[f"{part}_of_kept"] != layer[part]:
        words += f", by {layer[f'{part}_of_kept']} where inputs are left out"
    return words


def _prefetch(ways: Iterable[str], terms: int) -> str:
    """Which products prefetch their second operand; large tiles always copy it."""
    return f"prefetch in products of more than {terms} terms" if _TILES.intersection(ways) else ""


def _of_layer(layer: Mapping[str, Any]) -> Iterator[str]:
    """The kernels of one layer in one step."""
    by = {True: ", threads share the neurons", False: ""}
    yield _way(layer, "forward", by[layer["forward_by_neurons"]])
    if layer["error"] != "none":
        error = f"error by {layer['error']}, {_counted(layer['error_examples'], 'example')} at once"
        if layer["error_of_rest"] != layer["error"]:
            error += f", the rest by {layer['error_of_rest']}"
        error += by[layer["error_by_neurons"]]
        prefetch = _prefetch(
            (layer["error"], layer["error_of_rest"]), layer["error_prefetch_terms"]
        )
        yield f"{error}, {prefetch}" if prefetch else error
    if layer["keeps_slopes"]:
        yield "slopes kept"
    if layer["update"] != "none":
        yield _way(layer, "update", " in parts" if layer["update_in_parts"] else "")
    ways = [layer[key] for key in ("forward", "update", "forward_of_kept", "update_of_kept")]
    if prefetch := _prefetch(ways, layer["prefetch_terms"]):
        yield prefetch


def described(plan: Mapping[str, Any]) -> list[str]:
    """A plan, as ``_kernels.plan`` returns it, described in lines of text."""
    sizes = plan["sizes"]
    lines = [summary(plan), *(f"  {line}" for line in _of_call(plan))]
    for step in plan["steps"]:
        lines.append(f"  {_counted(step['m'], 'example')} at once:")
        for n_in, n_out, layer in zip(sizes, sizes[1:], step["layers"], strict=False):
            lines.append(f"    {n_in} x {n_out}: {'; '.join(_of_layer(layer))}")
    return lines


def _trace(plan: Mapping[str, Any]) -> None:
    """Print a plan on standard error; called with FASTNET_TRACE=1 in the environment."""
    print("fastnet:", "\n".join(described(plan)), file=sys.stderr)


_kernels.trace_with(_trace)
