"""Networks as C: those of fastnet beside emlearn's, mlpfile's, ONNX Runtime and PyTorch.

    python bench/exported_c.py                     # all tables, two minutes
    python bench/exported_c.py --only 784 --rounds 51

Needs the source tree (tests/c_targets.py) and gcc; peers, compilers and emulators that are missing
are left out. bench/README.md explains the columns. Every program's outputs are compared with
fastnet's before it is timed. The exit code is 1 if a target of bench/README.md is missed.
"""

import machine

machine.restrict()  # before NumPy is imported

import argparse  # noqa: E402
import ctypes  # noqa: E402
import datetime  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from importlib import metadata  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import fastnet  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

import c_targets  # noqa: E402
import exported_bytes  # noqa: E402
from exported_peers import PEERS, Missing, Program  # noqa: E402

SIZES = [[4, 16, 2], [8, 64, 64, 4], [784, 30, 10]]
# hidden, output; mlpfile has no other neurons than the first row's
KINDS = [("relu", "linear"), ("sigmoid", "sigmoid"), ("tanh", "softmax")]
COSTS = {"linear": "quadratic", "sigmoid": "cross-entropy", "softmax": "log-likelihood"}
ROWS = 16  # inputs that the calls take in turn
SECONDS = 0.003  # of a round


def network(sizes, hidden, output):
    """A network with random weights of the usual size, and inputs (ROWS, n_in)."""
    net = fastnet.Network(sizes, hidden=hidden, cost=COSTS[output], output=output, seed=1)
    random = np.random.default_rng(2)
    for b in net.biases:
        b[:] = random.normal(size=b.shape)
    return net, random.normal(size=(ROWS, sizes[0])).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """A network that the programs compute, and what it gives."""

    net: object
    output: str
    x: np.ndarray
    expected: np.ndarray

    @property
    def n_out(self):
        return self.net.sizes[-1]


def make_case(sizes, hidden, output):
    net, x = network(sizes, hidden, output)
    return Case(net, output, x, net.feedforward(x))


# ---- time, on this machine


def shared_library(program, case, folder, flags):
    """The program and bench/exported_c.c as a library."""
    target = c_targets.Target("gcc", ("-O2", "-fPIC", *flags))
    c_targets.write_case(folder, program.call, case.x, program.n_out)
    parts = [(program.source, program.language, program.flags)]
    parts += [(Path(__file__).with_suffix(".c"), ("-std=gnu99",), (f"-I{folder}",))]
    objects = []
    for source, language, more in parts:
        objects.append(folder / f"{source.stem}.{len(objects)}.o")
        c_targets.run(target(*language, *more, "-w", "-c", source, "-o", objects[-1]))
    made = folder / f"library{'-'.join(flags)}.so"
    c_targets.run(target("-shared", *objects, "-lm", "-o", made))
    return made


def timer_of_program(name, program, case, folder, flags=()):
    """A function of a number of calls that returns their seconds."""
    library = ctypes.CDLL(str(shared_library(program, case, folder, flags)))
    pointer = np.ctypeslib.ndpointer(np.float32, flags="C")
    library.seconds.restype = ctypes.c_double
    library.seconds.argtypes = [ctypes.c_long, ctypes.c_long, pointer, pointer]
    a = np.zeros(program.n_out, np.float32)
    found = []
    for row in case.x:
        library.seconds(1, 1, row, a)
        found.append(a[: case.n_out].copy())
    check(name, case, found)
    return lambda n: library.seconds(n, ROWS, case.x, a)


def timer_of_function(name, function, case):
    check(name, case, [np.array(function(row)).ravel() for row in case.x])
    rows = list(case.x)

    def seconds(n):
        before = time.thread_time()
        for k in range(n):
            function(rows[k % ROWS])
        return time.thread_time() - before

    return seconds


def calls_of(timer):
    """So many calls that they take SECONDS."""
    n = 1
    while (taken := timer(n)) < SECONDS / 4:
        n *= 2
    return max(1, round(n * SECONDS / taken))


def nanoseconds(timers, rounds):
    """{name: nanoseconds of a call in each round}; all names in turn within a round."""
    calls = {name: calls_of(timer) for name, timer in timers.items()}
    found = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            found[name].append(timer(calls[name]) / calls[name] * 1e9)
    return found


# ---- one table


@dataclass
class Row:
    """What is measured of a peer; None or absent where it is not."""

    nanoseconds: list = field(default_factory=list)  # of each round
    with_fma: list = field(default_factory=list)  # with -march=native
    code: dict = field(default_factory=dict)  # {processor: bytes}
    stack: dict = field(default_factory=dict)
    ram: int | None = None  # static, on the Cortex-M4
    linked: dict = field(default_factory=dict)  # {processor: bytes of code with libraries}
    instructions: dict = field(default_factory=dict)  # {processor: of a call}


def measure_bytes(name, program, case, folder, row):
    """Fill in bytes and instructions."""
    x = case.x[:2]
    for processor, target in exported_bytes.PROCESSORS.items():
        if target.missing or (target.bare and "c++" in program.language):
            continue
        row.code[processor], ram = exported_bytes.own(target, program, folder)
        outputs, row.stack[processor] = exported_bytes.stack(target, program, x, folder)
        check(name, case, outputs[:, : case.n_out])
        row.linked[processor] = exported_bytes.linked(target, program, x, folder)
        if target.bare:
            row.ram = ram
    for processor, target in exported_bytes.COUNTED.items():
        if not target.missing and "c++" not in program.language:
            repeats = 1 + 100_000 // sum(w.size for w in case.net.weights)
            row.instructions[processor] = exported_bytes.instructions(
                target, program, x, folder, repeats
            )


def check(name, case, outputs):
    """int8 differs by the rounding of its weights, whose bound the tests have; emlearn prints six
    decimals of a weight."""
    tolerance = {"fastnet, to_c, int8": 0.1}.get(name, 1e-4 if "emlearn" in name else 1e-5)
    expected = case.expected[: len(outputs)]
    worst = np.abs(outputs - expected).max() / np.abs(expected).max()
    if not worst <= tolerance:
        raise AssertionError(f"{name}: expected {expected[0]}, got {outputs[0]}")


def measure(case, folder, rounds, chosen):
    """{peer: Row} of those that can compute this network."""
    rows, timers = {}, {}
    for k, (name, make) in enumerate(PEERS.items()):
        if chosen not in name:
            continue
        place = folder / str(k)
        place.mkdir()
        try:
            made = make(case.net, case.output, place)
        except Missing as reason:
            print(f"  {name}: {reason}", file=sys.stderr)
            continue
        row = rows[name] = Row()
        if isinstance(made, Program):
            timers[name, "-O2"] = timer_of_program(name, made, case, place)
            timers[name, "native"] = timer_of_program(name, made, case, place, ("-march=native",))
            measure_bytes(name, made, case, place, row)
        else:
            timers[name, "-O2"] = timer_of_function(name, made, case)
    for (name, flags), found in nanoseconds(timers, rounds).items():
        if flags == "native":
            rows[name].with_fma = found
        else:
            rows[name].nanoseconds = found
    return rows


def number(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


HEADS = (
    *("", "ns, -O2", "ns, native", "code, x86-64", "code, Thumb-2"),
    *("with libraries, x86-64", "with libraries, Thumb-2"),
    *("stack, x86-64", "stack, Thumb-2", "static RAM"),
    *(f"instructions, {name}" for name in exported_bytes.COUNTED),
)


def table(rows):
    """Markdown."""
    lines = ["| " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * (len(HEADS) - 1)]
    for name, row in rows.items():
        times = [statistics.median(x) if x else None for x in (row.nanoseconds, row.with_fma)]
        found = [
            *times,
            *(row.code.get(processor) for processor in exported_bytes.PROCESSORS),
            *(row.linked.get(processor) for processor in exported_bytes.PROCESSORS),
            *(row.stack.get(processor) for processor in exported_bytes.PROCESSORS),
            row.ram,
            *(row.instructions.get(processor) for processor in exported_bytes.COUNTED),
        ]
        lines.append(f"| {name} | " + " | ".join(map(number, found)) + " |")
    return "\n".join(lines)


def targets(rows):
    """Lines that compare fastnet's row with those of emlearn, and whether all are kept. Code is
    compared with what it needs of libraries, RAM is the stack and static buffers."""
    own = rows.get("fastnet, to_c")
    lines, kept = [], True
    for name, row in rows.items():
        if own is None or not name.startswith("emlearn"):
            continue
        pairs = [a / b for a, b in zip(row.nanoseconds, own.nanoseconds, strict=True)]
        faster = statistics.median(pairs)
        found = {f"{faster:.2f} times as fast": faster >= 2}
        for p in own.code:
            rams = [each.stack[p] + (each.ram or 0) for each in (own, row)]
            found[f"code, {p} {own.linked[p]} of {row.linked[p]}"] = own.linked[p] <= row.linked[p]
            found[f"RAM, {p} {rams[0]} of {rams[1]}"] = rams[0] <= rams[1]
        kept = kept and all(found.values())
        lines.append(
            f"beside {name}: " + "; ".join(f"{x}{'' if y else ' MISSED'}" for x, y in found.items())
        )
    return lines, kept


def versions():
    names = ("emlearn", "mlpfile", "onnxruntime", "torch", "numpy")
    found = [f"fastnet {fastnet.__version__}"]
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    for target in exported_bytes.PROCESSORS.values():
        if not target.missing:
            found.append(c_targets.run([target.compiler, "--version"]).splitlines()[0])
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=101)
    parser.add_argument("--only", default="", help="networks whose description has this text")
    parser.add_argument("--peer", default="", help="peers whose name has this text")
    arguments = parser.parse_args()
    print(f"{machine.processor()}, {datetime.date.today()}; {versions()}\n")
    all_kept = True
    for sizes in SIZES:
        for hidden, output in KINDS:
            title = f"{sizes}, {hidden}, {output}"
            if arguments.only not in title:
                continue
            with tempfile.TemporaryDirectory() as folder:
                case = make_case(sizes, hidden, output)
                rows = measure(case, Path(folder), arguments.rounds, arguments.peer)
            lines, kept = targets(rows)
            all_kept = all_kept and kept
            print(f"{title}\n\n{table(rows)}\n", *lines, "", sep="\n", flush=True)
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
