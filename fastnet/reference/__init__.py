"""The kernels in plain NumPy: the readable specification, the oracle of the tests and a baseline of
the benchmarks.

Every function and class of ``__all__`` has the name, the parameters and the effect of its
counterpart in ``fastnet.core._kernels``, and declares the types of both. Costs,
activations and optimizers are computed by the formulas of fastnet/nn/, which the kernels do not
use. Equation numbers are those of M. Nielsen, Neural Networks and Deep Learning, chapter 3.

Single kernels are in arrays.py, elementwise.py, layer.py and random_numbers.py; whole passes in
network.py (prediction, evaluation, gradient) and training.py.

Shapes: m examples of a mini-batch, n_in inputs and n_out outputs of a layer; one example is one
row. A network's parameters are one flat array: for each layer its weights input-major, (n_in,
stride) with the outputs in the first n_out columns, then its biases, (stride,).
"""

from fastnet.reference.arrays import layers, layout, padded, stride
from fastnet.reference.elementwise import (
    activate,
    compress,
    exp,
    fma_rounds,
    log,
    max_abs,
    max_abs_and_count,
    sigmoid,
    softmax,
    sum_of_magnitudes,
    sum_of_squares,
)
from fastnet.reference.layer import (
    backpropagate,
    cost_sum,
    costs,
    output_error,
    update,
    weighted,
    weighted_input,
)
from fastnet.reference.network import (
    EVALUATED,
    Examples,
    NetworkCore,
    Predictor,
    classes,
    forward,
    inputs,
    step,
    targets,
)
from fastnet.reference.random_numbers import permutation, random_at, standard_normal, uniform
from fastnet.reference.training import Training

# The names that are also in _kernels.
__all__ = [
    "EVALUATED",
    "Examples",
    "NetworkCore",
    "Predictor",
    "Training",
    "activate",
    "backpropagate",
    "compress",
    "cost_sum",
    "exp",
    "fma_rounds",
    "layout",
    "log",
    "max_abs",
    "max_abs_and_count",
    "output_error",
    "padded",
    "permutation",
    "random_at",
    "sigmoid",
    "softmax",
    "standard_normal",
    "sum_of_magnitudes",
    "sum_of_squares",
    "uniform",
    "update",
    "weighted_input",
]
