"""The methods of ``Network`` that explain, differentiate and check what it computes."""

from __future__ import annotations

from numpy.typing import ArrayLike, NDArray

from fastnet.core import checks
from fastnet.data.dataset import Data, Dataset
from fastnet.data.frames import Columns
from fastnet.data.sparse_rows import Sparse
from fastnet.inspect import explanation, gradient_check
from fastnet.inspect.explanation import Explanation
from fastnet.model import Model
from fastnet.network_inputs import NetworkInputs
from fastnet.training.overridden import check_feedforward


class InspectionMethods:
    """A part of ``Network``."""

    _model: Model
    _inputs: NetworkInputs

    def explain(self, x: ArrayLike | Columns, y: ArrayLike) -> Explanation:
        """The forward pass and back-propagation of one example, step by step.

        Printed, it shows formulas and numbers in the book's notation: each layer's weighted
        input z^l = w^l a^{l-1} + b^l and activation a^l (eq. 25), the cost, the output
        error delta^L by the cost's rule, and the equations of back-propagation,
        delta^l = ((w^{l+1})^T delta^{l+1}) * sigma'(z^l) (BP2), dC/db^l = delta^l (BP3) and
        dC/dw^l_jk = a^{l-1}_k delta^l_j (BP4). The gradient equals that of ``backprop``, except for
        rounding.

        Parameters
        ----------
        x, y : as for ``backprop``

        Returns
        -------
        Explanation
            Has the columns ``x`` and ``y``, the example's ``cost``, the names of ``features`` and
            ``classes``, ``raw``, x before it was standardized, and ``layers``, one for each
            layer after the input, l = 2 to L. A layer has ``l``, the kind of ``neurons``,
            ``w``, ``b``, ``z``, ``a``, ``delta``, ``nabla_b`` and ``nabla_w``, read-only
            arrays of the network's dtype, columns where the book has columns.

        Raises
        ------
        ValueError, TypeError
            For an x or a y that do not fit the network.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([2, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[1.0, 2.0]], [[0.5]]
        >>> explanation = net.explain([3.0, 4.0], [10.0])
        >>> explanation
        One example through [2, 1]; columns are printed as rows, ⊙ is the product
        of elements, (25) an equation of the book, (BP1) to (BP4) those of back-propagation.
        <BLANKLINE>
        Forward
          layer 1: 2 inputs
            a^1 = x
              [3. 4.]
          layer 2: 1 linear neuron
            w^2
              [[1. 2.]]
            b^2
              [0.5]
            z^2 = w^2 a^1 + b^2   (25)
              [11.5]
            a^2 = z^2
              [11.5]
        <BLANKLINE>
        Cost
            y
              [10.]
            C = 1/2 Σ_j (a_j - y_j)²   (54)
              = 1.125
        <BLANKLINE>
        Backward
          layer 2
            δ^2 = a^2 - y   (68)
              [1.5]
            ∂C/∂b^2 = δ^2   (BP3)
              [1.5]
            ∂C/∂w^2, in row j and column k a^1_k δ^2_j   (BP4)
              [[4.5 6. ]]
        >>> explanation.layers[0].delta.item(), explanation.cost
        (1.5, 1.125)
        """
        return explanation.explain(self._model, self._inputs.example(x, y))

    def jacobian(self, x: Dataset | Sparse | ArrayLike | Columns) -> NDArray:
        """The derivatives of the outputs with respect to the inputs, by back-propagation.

        Parameters
        ----------
        x : as ``a`` of ``feedforward``
            One example or many, in any form.

        Returns
        -------
        ndarray of the network's dtype
            (n_out, n_in) for one example, (n_in,) or (n_in, 1) or a dict of single values; else
            (n, n_out, n_in). Row j, column i is da_j/dx_i, where a is what ``feedforward`` gives,
            after the output layer's function, and x are the numbers that were passed: before they
            are standardized and, for bytes and a Dataset, before they are multiplied by the scale.
            With a ``Table`` the columns are its encoded ones, ``features``: a column of numbers
            is in the unit of the table, and a category is a number that is 0 or 1.

        Raises
        ------
        ValueError, TypeError
            As ``feedforward``; a TypeError if ``feedforward`` is overridden.

        Notes
        -----
        With the weights of the layers, J = F_L W_L ... F_2 W_2 F_1 W_1, where F_l is the diagonal
        matrix of f'(z^l); of softmax it is diag(a) - a a^T. The product is computed from the left,
        as back-propagation does. A kink has the slope that a training uses: ReLU at 0 has 0. An
        example has the same bits alone, among others, with each number of threads and each
        instruction set with fused multiply-add. ``predictor(jacobian=True)`` computes it for one
        example without allocation. docs/derivatives.md has an application.

        Examples
        --------
        >>> import fastnet
        >>> net = fastnet.Network([2, 1], "quadratic", output="linear", dtype="float64")
        >>> net.weights[0], net.biases[0] = [[3.0, -4.0]], [[0.5]]
        >>> net.jacobian([1.0, 2.0])
        array([[ 3., -4.]])
        >>> net.jacobian([[1.0, 2.0], [5.0, 6.0]]).shape
        (2, 1, 2)
        """
        check_feedforward(self, "jacobian")
        return self._inputs.jacobian("x", x)

    def gradient_check(self, data: Data, n_parameters: int | None = 200, seed: int = 0) -> float:
        """Compare back-propagation with the slope of the cost, measured by central differences.

        Computed in float64 on a copy of the parameters, whatever the network's dtype. The result
        is about 1e-8 to 1e-5 if the gradient is right, and mostly near 1 if it is wrong, for
        example because of an error in a cost class of your own.

        Parameters
        ----------
        data : as ``training_data`` of ``SGD``
            The cost is the mean over all examples; about ten are enough.
        n_parameters : int or None
            How many weights and biases are checked, with two costs of ``data`` for each: about
            the same number from each layer's weights and biases, chosen at random; None: all.
        seed : int
            The seed of that choice.

        Returns
        -------
        float
            The largest relative error |g - s| / max(|g|, |s|, G / 1000), with g the component
            of the gradient by back-propagation, s = (C(w + h) - C(w - h)) / 2h, and G the
            largest component of the whole gradient. NaN if a cost is not finite.

        Raises
        ------
        ValueError, TypeError
            For data that do not fit the network, for other invalid arguments, and for a weight
            or a bias that is not finite.

        Notes
        -----
        h is eps^(1/3), 6e-6, times |w| or 1, whichever is larger; for the weights of inputs larger
        than 1, the 1 is divided by the largest input. A ReLU has no slope at 0, nor has the
        absolute cost at a = y: a step across such a kink shows an error although there is none.
        With few examples this is rare, except for inputs that are all zero with biases of 0: try
        other examples.

        Examples
        --------
        >>> import fastnet
        >>> import numpy as np
        >>> net = fastnet.Network([4, 5, 3], seed=1)
        >>> net.gradient_check((np.eye(4), [0, 1, 2, 0])) < 1e-6
        True
        """
        fitting = self._inputs.dataset("data", data)
        if n_parameters is not None:
            n_parameters = checks.integer("n_parameters", n_parameters, 1)
        seed = checks.integer("seed", seed, 0)
        self._model.parameters.check_finite()
        return gradient_check.largest_error(self._model, fitting, n_parameters, seed)
