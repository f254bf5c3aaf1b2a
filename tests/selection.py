"""Which cases of parametrized tests run: those in which all pairs of values occur.

Most faults that depend on the parameters depend on one of them or on two together, which a
selection of a cross product shows with a small part of its cases (pairwise testing). Where three
are likely to act together, ``@pytest.mark.covering(3)`` asks for all triples; the quick set has
the pairs there, too. Where they have nothing to do with each other, as a kind of wrong data and
the method that it is given to, ``covering(1)`` asks for every value at least once. The option
``--cases=every`` runs the whole products.
"""

import heapq
import itertools
import random
from collections import defaultdict

FEWEST = 12
STRENGTH = 2  # without the mark
LONG = {"browser"}  # fixtures whose tests are all long


def covering(cases, strength=STRENGTH):
    """The places in ``cases``, dicts {parameter: value}, of some that have all the pairs of values
    of two parameters which occur in any of them; of as many parameters as ``strength`` says."""
    tuples = [set(itertools.combinations(sorted(case.items()), strength)) for case in cases]
    missing = set().union(*tuples)
    order = list(range(len(cases)))
    random.Random(0).shuffle(order)  # so that cases chosen for equal gains differ in all parameters
    heap = [(-len(tuples[k]), tie, k) for tie, k in enumerate(order)]
    heapq.heapify(heap)
    chosen = []
    while missing:
        _, tie, k = heapq.heappop(heap)
        gain = len(tuples[k] & missing)  # smaller than when it was pushed, if at all different
        if heap and gain < -heap[0][0]:
            heapq.heappush(heap, (-gain, tie, k))
        else:
            chosen.append(k)
            missing -= tuples[k]
    return sorted(chosen)


def strength_of(item):
    """How many parameters of a test act together."""
    mark = item.get_closest_marker("covering")
    return mark.args[0] if mark else STRENGTH


def redundant(items, most=None):
    """The collected test cases that their tests can do without; with ``most``, those without which
    all tuples of so many values still occur, even where a mark asks for more."""
    functions = defaultdict(list)
    for item in items:
        if hasattr(item, "callspec"):
            functions[item.nodeid.partition("[")[0]].append(item)
    for cases in functions.values():
        strength = min(strength_of(cases[0]), most or strength_of(cases[0]))
        parameters = [case.callspec.params for case in cases]
        if len(cases) < FEWEST or len(parameters[0]) <= strength:
            continue
        # The same value is the same object in all cases, whether it can be compared or not.
        kept = set(
            covering([{name: id(v) for name, v in case.items()} for case in parameters], strength)
        )
        yield from (case for k, case in enumerate(cases) if k not in kept)


def thorough(items):
    """The collected test cases that the quick set can do without."""
    yield from (item for item in items if LONG & {*getattr(item, "fixturenames", ())})
    yield from redundant(items, STRENGTH)
