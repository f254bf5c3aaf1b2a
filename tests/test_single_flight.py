"""A data set is compressed once, and nobody waits for ever, whoever asks for it meanwhile: threads,
signal handlers, and processes that are forked. Each in a process of its own, so that one that
hangs is a failure."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

from fastnet import Dataset
from fastnet.core import single_flight
from fastnet.data import sparse_rows

# What each program begins with: inputs that take 20 pieces of some 20 ms each, an answer that a
# twin in memory of its own gives, and a count of the compressions.
BEGINNING = """
import os, signal, sys, threading, time
import numpy as np
from fastnet import Dataset, Network
from fastnet.data import sparse_rows

SIZES = [784, 12, 3]
random = np.random.default_rng(1)
X = np.zeros((4000, 784), SPARSE_DTYPE)
X[:, ::7] = random.integers(0, 9, X[:, ::7].shape)
y = np.arange(4000) % 3
slowly = 0.02
made = []

def pieces(array):
    step = -(-len(array) // 20)
    for first in range(0, len(array), step):
        time.sleep(slowly)
        yield slice(first, min(first + step, len(array)))
        sparse_rows.single_flight.report_piece(array)

def compress(*given, original=sparse_rows.compress):
    form = original(*given)
    made.append(os.getpid())
    return form

answer = Network(SIZES, seed=1).accuracy(Dataset(X.copy(), y))
sparse_rows.pieces, sparse_rows.compress = pieces, compress
data = Dataset(X[...], y, sparse=SPARSE)
data.largest, data.target_range  # which are known then
net = Network(SIZES, seed=1)

def in_the_middle(handler, seconds=0.15):
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)

def train_and_exit():
    trained = Network(SIZES, seed=1)
    trained.SGD(data, 1, 100, 0.1, verbose=False)
    os._exit(0 if trained.accuracy(data) >= 0 else 1)

def status(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""

PROGRAMS = {
    "a handler that looks at a network": """
asked = []
in_the_middle(lambda *_: asked.extend([net.accuracy(data), len(made)]))
assert net.accuracy(data) == answer
assert asked == [answer, 0], asked  # in the middle
assert len(made) == 1, made
""",
    "a handler that asks for the operand": """
asked = []
in_the_middle(lambda *_: asked.append(data.operand(SIZES, "float32")))
form = data.operand(SIZES, "float32")
assert asked[0] is data.X
assert data.operand(SIZES, "float32") is form is not data.X
assert len(made) == 1, made
""",
    "a handler that comes again and again": """
asked = []
signal.signal(signal.SIGALRM, lambda *_: asked.append(net.accuracy(data)))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
assert net.accuracy(data) == answer
signal.setitimer(signal.ITIMER_REAL, 0)
assert len(asked) > 3 and set(asked) == {answer}
assert len(made) == 1, made
""",
    "a handler that forks a process that trains": """
ended = []
def handler(*_):
    child = os.fork()
    if child == 0:
        train_and_exit()
    ended.append(status(child))
in_the_middle(handler)
assert net.accuracy(data) == answer
assert ended == [0], ended
assert made == [os.getpid()], made
""",
    "a handler that forks and returns in both processes": """
parent, children = os.getpid(), []
in_the_middle(lambda *_: children.append(os.fork()))
assert net.accuracy(data) == answer
assert made == [os.getpid()], made
other = threading.Thread(target=lambda: made.append(net.accuracy(data)))
other.start(); other.join()
assert made == [os.getpid(), answer], made
if os.getpid() != parent:
    os._exit(0)
assert status(children[0]) == 0
""",
    "a handler that forks a process in which a thread trains": """
ended = []
def handler(*_):
    child = os.fork()
    if child == 0:
        thread = threading.Thread(target=train_and_exit)
        thread.start(); thread.join()
        os._exit(1)
    ended.append(status(child))
in_the_middle(handler)
assert net.accuracy(data) == answer
assert ended == [0], ended
""",
    "a fork while another thread compresses": """
thread = threading.Thread(target=net.accuracy, args=(data,))
thread.start()
time.sleep(0.15)
assert not made
child = os.fork()
if child == 0:
    again = Network(SIZES, seed=1).accuracy(data)
    os._exit(0 if again == answer and made == [os.getpid()] else 1)
assert status(child) == 0
thread.join()
assert made == [os.getpid()], made
""",
    "two threads at once": """
found = []
threads = [threading.Thread(target=lambda: found.append(net.accuracy(data))) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == [answer] * 2, found
assert len(made) == 1, made
""",
    "eight threads at once": """
found = []
ask = lambda: found.append(data.operand(SIZES, "float32"))
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(made) == 1, made
assert all(form is found[0] for form in found) and found[0] is not data.X
""",
    "a handler that waits for a thread that wants the same data set": """
found = []
def handler(*_):
    thread = threading.Thread(target=lambda: found.append(net.accuracy(data)))
    thread.start(); thread.join()
in_the_middle(handler)
assert net.accuracy(data) == answer
assert found == [answer], found
assert len(made) == 1, made
""",
    "a handler that interrupts a thread that waits": """
found = []
thread = threading.Thread(target=net.accuracy, args=(data,))
thread.start()
time.sleep(0.05)
in_the_middle(lambda *_: found.append(net.accuracy(data)))
assert net.accuracy(data) == answer
thread.join()
assert found == [answer], found
assert len(made) == 1, made
""",
    "Ctrl-C in the middle": """
def handler(*_):
    raise KeyboardInterrupt
in_the_middle(handler)
try:
    net.accuracy(data)
except KeyboardInterrupt:
    assert not made
    assert net.accuracy(data) == answer
    assert len(made) == 1, made
else:
    raise AssertionError("not interrupted")
""",
    "a pickle and a copy that are made meanwhile": """
import copy, pickle
found = []
in_the_middle(lambda *_: found.extend([copy.copy(data), pickle.loads(pickle.dumps(data)), data[:]]))
assert net.accuracy(data) == answer
slowly = 0
for one in found:
    assert one.operand(SIZES, "float32") is not one.X
assert len(made) == 4, made
""",
    "a fork while another thread looks for the largest input": """
part = Dataset(np.random.rand(100, 784).astype(np.float32), np.arange(100) % 3)
big = Dataset(np.random.rand(20000, 784), np.arange(20000) % 3)
ends = threading.Event()
def look():
    for i in range(1, 10000):
        big[i:].largest
        if ends.is_set():
            return
thread = threading.Thread(target=look)
thread.start()
net = Network(SIZES, seed=1)
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        net.accuracy(part[1:])
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
ends.set()
thread.join()
""",
}


def run(program, sparse="auto", dtype="np.float32"):
    code = BEGINNING.replace("SPARSE_DTYPE", dtype).replace("SPARSE", repr(sparse)) + program
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_data_set_is_compressed_once_and_nobody_waits_for_ever(program):
    run(PROGRAMS[program])


@pytest.mark.parametrize("program", list(PROGRAMS)[:10:2])
def test_so_it_is_where_the_option_says_sparse(program):
    run(PROGRAMS[program], sparse=True, dtype="np.uint8")


# ---- compute_once by itself


def test_what_is_made_is_made_once_and_found_afterwards():
    kept, standing = [], {}
    for _ in range(2):
        found = single_flight.compute_once(
            standing, None, lambda: kept[0] if kept else None, lambda: kept.append(7) or kept[0]
        )
        assert found == 7
    assert kept == [7]
    assert standing == {}


def test_a_claim_ends_with_an_error_and_the_next_thread_makes_it():
    standing = {}

    def fail():
        raise MemoryError

    with pytest.raises(MemoryError):
        single_flight.compute_once(standing, None, lambda: None, fail)
    assert standing == {}
    assert single_flight.compute_once(standing, None, lambda: None, lambda: 7) == 7


def test_a_thread_that_makes_no_progress_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(single_flight, "STALL_TIMEOUT", 0.05)
    standing, goes_on, begun = {}, threading.Event(), threading.Event()
    thread = threading.Thread(
        target=single_flight.compute_once,
        args=(standing, None, lambda: None, lambda: begun.set() or goes_on.wait(60)),
    )
    thread.start()
    begun.wait(60)
    assert single_flight.compute_once(standing, None, lambda: None, lambda: 7) is None
    goes_on.set()
    thread.join()
    assert standing == {}


def test_only_pieces_of_what_is_claimed_are_progress():
    X = np.zeros((3, 4))
    seen = []

    def make():
        for _ in sparse_rows.pieces(X):
            seen.append(next(iter(standing.values())).pieces)
        list(sparse_rows.pieces(X.copy()))
        seen.append(next(iter(standing.values())).pieces)
        return 7

    standing = {}
    single_flight.compute_once(standing, X, lambda: None, make)
    assert seen == [0, 1]


def test_a_claim_is_neither_copied_nor_pickled():
    data = Dataset(np.eye(4), [0, 1, 2, 0])
    data._in_flight[0] = single_flight.Computation(data.X)  # as of a thread that is at it
    for twin in (copy.copy(data), copy.deepcopy(data), pickle.loads(pickle.dumps(data)), data[:2]):
        assert twin._in_flight == {}
