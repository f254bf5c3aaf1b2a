"""The function of an exported file that computes outputs and Jacobian.

The forward pass stores the slopes of the hidden neurons. Then, for each output, a backward pass
starts with its derivatives with respect to the weighted inputs of the output layer, and continues
layer by layer to the inputs.
"""

from __future__ import annotations

from fastnet.convert import c_functions
from fastnet.convert.c_source import Source, forward, identifier, inputs


def function(source: Source) -> str:
    """The function, and the one that it calls to multiply by the weights of a layer."""
    arrays = "".join(f"    @real {name}[{n}];\n" for name, n in source.jacobian_buffers)
    outputs = inputs(source) + forward(source, with_slopes=True)
    row = _top(source) + _back(source) + _to_inputs(source)
    return f"""{_PRODUCT}
void {source.name}_jacobian(const @real *x, @real *a, @real *j)
{{
{arrays}{outputs}    for (size_t o = 0; o < @n_out; o++) {{
        @real *const row = j + o * @n_in;
{row}    }}
}}
"""


_PRODUCT = """
/* below[i] = sum over n neurons j of w[i n_out + j] delta[j], for the n_in inputs of a layer */
static void @back(size_t n_in, const @real *w, size_t n_out, size_t n, const @real *delta,
                  @real *below)
{
    for (size_t i = 0; i < n_in; i++) {
        @real sum = 0;
        for (size_t j = 0; j < n; j++)
            sum = @FMA(w[i * n_out + j], delta[j], sum);
        below[i] = sum;
    }
}
"""


def _top(source: Source) -> str:
    """The statements that compute the derivatives of output o with respect to the weighted inputs
    of the output layer, and propagate them to the layer below. Unless the activation is that of a
    whole layer (softmax), only the derivative with respect to neuron o is not 0."""
    kind = source.activations[-1]
    name = identifier(kind, source.activations)
    l, sizes = len(source.model.sizes) - 1, source.model.sizes
    to = "row" if l == 1 else _array(l - 1)
    weights = f"@layer_{l} + {sizes[l]}"
    if kind.of_layer:
        return (
            f"        @{name}_slope(a, {sizes[l]}, o, top);\n"
            f"        @back({sizes[l - 1]}, {weights}, {sizes[l]}, {sizes[l]}, top, {to});\n"
        )
    return (
        f"        const @real top = @{name}_slope(output[o], a[o]);\n"
        f"        @back({sizes[l - 1]}, {weights} + o, {sizes[l]}, 1, &top, {to});\n"
    )


def _array(l: int) -> str:
    """The array with the errors of hidden layer l."""
    return ("even", "odd")[l % 2]


def _back(source: Source) -> str:
    """The statements that propagate from each hidden layer to the one below."""
    sizes, text = source.model.sizes, ""
    for l in range(len(sizes) - 2, 0, -1):
        own = _array(l)
        text += f"        for (size_t i = 0; i < {sizes[l]}; i++)\n"
        text += f"            {own}[i] *= slope_{l}[i];\n"
        to = "row" if l == 1 else _array(l - 1)
        text += f"        @back({sizes[l - 1]}, @layer_{l} + {sizes[l]}, {sizes[l]}, {sizes[l]}, "
        text += f"{own}, {to});\n"
    return text


def _to_inputs(source: Source) -> str:
    """The statements that convert the row to derivatives with respect to the raw inputs, before
    scale and standardization."""
    scale = c_functions.literal(source.scale, 64)
    if source.model.schema.standardize is not None:
        factor = f"{scale} / @deviation[i]"
    elif source.scale != 1:
        factor = scale
    else:
        return ""
    return (
        "        for (size_t i = 0; i < @n_in; i++)\n"
        f"            row[i] = (@real)((double)row[i] * ({factor}));\n"
    )
