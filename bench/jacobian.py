"""Compare the Jacobian of the outputs by the inputs with mlpfile, PyTorch and JAX.

    python bench/jacobian.py                  # two minutes: a Markdown table
    python bench/jacobian.py --rounds 5 --only 784,30,10

Hidden ReLU and linear outputs, which mlpfile has; the same float32 parameters and inputs. All run
in one process on one core, in turns; a time is the median over the rounds of the processor's time,
since other programs may use the machine. "one x" is one call for one example, from a NumPy array
(PyTorch: a tensor) to an array; "1,000 x" is the time of a call for 1,000 examples, divided by
1,000. Before anything is timed, each result is compared with central differences of a float64
network. mlpfile and `net.jacobian` return the Jacobian alone, the predictor the outputs, too.

Needs mlpfile and PyTorch; JAX if it is installed.
"""

import machine

machine.restrict()  # before NumPy is imported

import argparse  # noqa: E402
import statistics  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import mlpfile  # noqa: E402
import mlpfile.torch  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import fastnet  # noqa: E402
from fastnet.core import _kernels  # noqa: E402

try:
    import jax
except ImportError:
    jax = None

SIZES = ([4, 16, 2], [8, 64, 64, 4], [784, 30, 10])
MANY = 1000
SECONDS = 0.005  # of a round's turn


def network(sizes, dtype="float32"):
    return fastnet.Network(
        sizes, "quadratic", output="linear", hidden="relu", dtype=dtype, seed=1, n_threads=1
    )


def module(net):
    """The network as a module of PyTorch."""
    layers = []
    for w, b in zip(net.weights, net.biases, strict=True):
        layer = torch.nn.Linear(w.shape[1], w.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(np.array(w)))
            layer.bias.copy_(torch.tensor(np.array(b[:, 0])))
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).requires_grad_(False)


def of_mlpfile(torch_module):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "net")
        mlpfile.torch.write(torch_module, path)
        return mlpfile.Model.load(path)


def of_jax(net):
    """(the Jacobian of one example, of many), both compiled."""
    parameters = [
        (jax.numpy.asarray(np.array(w)), jax.numpy.asarray(np.array(b[:, 0])))
        for w, b in zip(net.weights, net.biases, strict=True)
    ]

    def f(x):
        for w, b in parameters[:-1]:
            x = jax.nn.relu(w @ x + b)
        w, b = parameters[-1]
        return w @ x + b

    one = jax.jacrev(f)
    compiled, of_many = jax.jit(one), jax.jit(jax.vmap(one))
    return lambda x: np.asarray(compiled(x)), lambda x: np.asarray(of_many(x))


def by_hand(torch_module):
    """The product of the weights and slopes in PyTorch, for one example."""
    layers = [layer for layer in torch_module if isinstance(layer, torch.nn.Linear)]
    weights = [layer.weight.detach() for layer in layers]
    biases = [layer.bias.detach() for layer in layers]

    @torch.inference_mode()
    def jacobian(x):
        kept = []
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = torch.relu(torch.addmv(b, w, x))
            kept.append(x > 0)
        result = weights[-1]
        for w, slope in zip(weights[-2::-1], kept[::-1], strict=True):
            result = (result * slope) @ w
        return result

    return jacobian


def programs(net, X):
    """{name: (function of one x, x, function of many or None, X)}"""
    torch_module = module(net)
    model = of_mlpfile(torch_module)
    predict = net.predictor(jacobian=True)
    x, tensor, tensors = X[0], torch.tensor(X[0]), torch.tensor(X)
    reverse = torch.func.jacrev(torch_module)
    vectorized = torch.func.vmap(reverse)
    functional = torch.autograd.functional.jacobian
    found = {
        "fastnet, predictor(jacobian=True)": (lambda x: predict(x)[1], x, None, X),
        "fastnet, net.jacobian": (net.jacobian, x, net.jacobian, X),
        "mlpfile": (model.jacobian, x, lambda X: [model.jacobian(x) for x in X], X),
        "PyTorch, by hand": (by_hand(torch_module), tensor, None, tensors),
        "PyTorch, torch.func.jacrev": (reverse, tensor, vectorized, tensors),
        "PyTorch, autograd.functional.jacobian": (
            lambda x: functional(torch_module, x), tensor, None, tensors,
        ),
    }  # fmt: skip
    if jax:
        one, many = of_jax(net)
        found["JAX, jit(jacrev)"] = (one, x, many, X)
    return found


def differences(sizes, net, X):
    """Central differences of the network in float64, (n, n_out, n_in)."""
    double = network(sizes, "float64")
    double.weights, double.biases = list(net.weights), list(net.biases)
    steps = 1e-7 * np.eye(sizes[0])
    X = X.astype(float)
    sides = [np.stack([double.feedforward(X + d) for d in side]) for side in (steps, -steps)]
    return ((sides[0] - sides[1]) / 2e-7).transpose(1, 2, 0)


def check(name, jacobian, expected):
    error = np.abs(np.asarray(jacobian) - expected).max()
    if error > 1e-5 * np.abs(expected).max():
        raise SystemExit(f"{name}: the Jacobian differs from central differences by {error}")


def calls_in(f, x, seconds):
    """How often the function is called in a turn."""
    f(x)
    n, took = 1, 0.0
    while True:
        before = time.process_time()
        for _ in range(n):
            f(x)
        took = time.process_time() - before
        if took > seconds / 2:
            return max(1, int(n * seconds / took))
        n *= 2


def measured(jobs, rounds):
    """{job: median seconds of a call}; jobs: {job: (function, argument)}."""
    calls = {job: calls_in(f, x, SECONDS) for job, (f, x) in jobs.items()}
    times = {job: [] for job in jobs}
    for _ in range(rounds):
        for job, (f, x) in jobs.items():
            before = time.process_time()
            for _ in range(calls[job]):
                f(x)
            times[job].append((time.process_time() - before) / calls[job])
    return {job: statistics.median(each) for job, each in times.items()}


def jobs_of(sizes):
    """{(name, "one x" or "1,000 x"): (function, argument)} after the check of the results."""
    net = network(sizes)
    X = np.random.default_rng(0).normal(size=(MANY, sizes[0])).astype(np.float32)
    expected = differences(sizes, net, X[:20])
    jobs = {}
    for name, (one, x, many, examples) in programs(net, X).items():
        check(name, one(x), expected[0])
        jobs[name, "one x"] = one, x
        if many:
            check(name, np.asarray(many(examples[:20])), expected)
            jobs[name, "1,000 x"] = many, examples
    return jobs


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--only", help="sizes, such as 784,30,10")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [[int(n) for n in arguments.only.split(",")]] if arguments.only else SIZES
    columns = {}
    for sizes in chosen:
        found = measured(jobs_of(sizes), arguments.rounds)
        for (name, how), seconds in found.items():
            best = found["fastnet, predictor(jacobian=True)" if how == "one x"
                         else "fastnet, net.jacobian", how]  # fmt: skip
            each = 1e6 * seconds / (1 if how == "one x" else MANY)
            columns[name, str(sizes), how] = f"{each:.2f} ({seconds / best:.1f}x)"
    heads = [(str(sizes), how) for sizes in chosen for how in ("one x", "1,000 x")]
    versions = f"mlpfile, PyTorch {torch.__version__}" + (f", JAX {jax.__version__}" if jax else "")
    print(f"{time.strftime('%Y-%m-%d')}, {machine.processor()}, {_kernels.isa()}, {versions}; µs\n")
    print("| | " + " | ".join(f"{sizes}, {how}" for sizes, how in heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for name in dict.fromkeys(name for name, *_ in columns):
        print(f"| {name} | " + " | ".join(columns.get((name, *h), "") for h in heads) + " |")


if __name__ == "__main__":
    main()
