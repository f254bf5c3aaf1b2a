"""What bench/exported_c.py compares: programs in C or C++, and libraries called from Python.

A peer is a function of a network and a folder. It returns a ``Program`` or a function of one row
of inputs, and raises ``Missing`` if a library is not installed or cannot say the network.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from c_targets import Call

EIGEN = Path("/usr/include/eigen3")
C99, CXX = ("-std=c99",), ("-x", "c++", "-std=c++17")


class Missing(Exception):
    """Why a peer does not take part."""


@dataclass(frozen=True)
class Program:
    """A source file, how it is compiled, and how its network is called.

    ``n_out``: how many numbers a call writes, of which the first are the outputs; ``entry``: the
    function that is called; ``parameters``: the bytes of weights and biases, which are constants
    unless ``const`` is False.
    """

    source: Path
    call: Call
    n_out: int
    entry: str
    parameters: int
    language: tuple[str, ...] = C99
    flags: tuple[str, ...] = ()
    const: bool = True


def package(name):
    try:
        return import_module(name)
    except ImportError:
        raise Missing(f"no {name}") from None


def layers(net):
    """Pairs of weights (n_out, n_in) and biases (n_out,)."""
    return [(w, b.ravel()) for w, b in zip(net.weights, net.biases, strict=True)]


def parameter_bytes(net, of_weight=4):
    return sum(of_weight * w.size + 4 * len(b) for w, b in layers(net))


def only_relu(net, output, name):
    if set(net.hidden) != {"relu"} or output != "linear":
        raise Missing(f"{name} has no such neurons")


def fastnet_c(net, output, folder):
    net.to_c(folder / "net.c", name="net")
    call = Call("void net(const real *x, real *a);", "net(x, a)", "net")
    return Program(folder / "net.c", call, net.sizes[-1], "net", parameter_bytes(net))


def fastnet_int8(net, output, folder):
    net.to_c(folder / "net.c", name="net", int8=True)
    call = Call("void net(const real *x, real *a);", "net(x, a)", "net")
    scales = 4 * sum(len(b) for _, b in layers(net))
    parameters = parameter_bytes(net, 1) + scales
    return Program(folder / "net.c", call, net.sizes[-1], "net", parameters)


EMLEARN = {"linear": "identity", "sigmoid": "logistic"}


def emlearn_arguments(net, output):
    emlearn, emlearn_net = package("emlearn"), package("emlearn.net")
    kinds = [EMLEARN.get(kind, kind) for kind in (*net.hidden, output)]
    weights, biases = zip(*((w.T, b) for w, b in layers(net)), strict=True)
    include = Path(emlearn.__file__).parent
    return emlearn_net, (kinds, weights, biases), (f"-I{include}",)


def emlearn_inline(net, output, folder):
    """Its outputs are in the second of two static buffers, from which they are copied. Release
    0.23.2 refuses to write the names of activations, as if they were numbers."""
    emlearn_net, arguments, include = emlearn_arguments(net, output)
    written = emlearn_net.cgen.constant
    emlearn_net.cgen.constant = lambda value, dtype="float": (
        value if isinstance(value, str) else written(value, dtype)
    )
    text = emlearn_net.c_generate_net_inline(*arguments, prefix="net")
    width = max(net.sizes)
    text += f"""
    void call(const float *x, float *a);
    void call(const float *x, float *a)
    {{
        net_infer(x, {net.sizes[0]}, net_activations1, net_activations2, {width});
        for (int j = 0; j < {net.sizes[-1]}; j++)
            a[j] = net_activations2[j];
    }}
    """
    return emlearn_program(net, folder, text, include)


def emlearn_program(net, folder, text, include):
    (folder / "net.c").write_text(text, encoding="utf-8")
    call = Call("void call(const real *x, real *a);", "call(x, a)", "call")
    parameters, n_out = parameter_bytes(net), net.sizes[-1]
    return Program(folder / "net.c", call, n_out, "call", parameters, ("-std=gnu99",), include)


def emlearn_loadable(net, output, folder):
    emlearn_net, arguments, include = emlearn_arguments(net, output)
    text = emlearn_net.c_generate_net_loadable(*arguments, prefix="net")
    text += f"""
    void call(const float *x, float *a);
    void call(const float *x, float *a)
    {{
        net_regress(x, {net.sizes[0]}, a, {net.sizes[-1]});
    }}
    """
    return emlearn_program(net, folder, text, include)


def mlpfile_model(net, output, folder):
    """The network in mlpfile's format: layers as type 2, linear, with n_out, and 3, ReLU."""
    only_relu(net, output, "mlpfile")
    mlpfile = package("mlpfile")
    parts = layers(net)
    words = [2 * len(parts) - 1, net.sizes[0]]
    for w, _ in parts:
        words += [2, len(w), 3]
    data = [np.array(words[:-1], np.uint32), *(x for pair in parts for x in pair)]
    path = folder / "net.mlp"
    path.write_bytes(b"".join(np.ascontiguousarray(x).tobytes() for x in data))
    return mlpfile, path


def mlpfile_generated(net, output, folder, eigen=False):
    mlpfile, path = mlpfile_model(net, output, folder)
    if eigen and not EIGEN.exists():
        raise Missing("no Eigen")
    source = folder / ("mlp.cpp" if eigen else "mlp.c")
    generate = mlpfile.codegen_eigen if eigen else mlpfile.codegen_c
    with source.open("w", encoding="utf-8") as file:
        generate(mlpfile.Model.load(str(path)), file)
    language = CXX if eigen else C99
    flags = (f"-I{EIGEN}", "-fno-exceptions", "-DEIGEN_NO_MALLOC") if eigen else ()
    call = Call("void forward(const real *x, real *a);", "forward(x, a)", "forward")
    n_out, parameters = net.sizes[-1], parameter_bytes(net)
    return Program(source, call, n_out, "forward", parameters, language, flags, const=False)


def mlpfile_eigen(net, output, folder):
    return mlpfile_generated(net, output, folder, eigen=True)


def mlpfile_library(net, output, folder):
    mlpfile, path = mlpfile_model(net, output, folder)
    return mlpfile.Model.load(str(path)).forward


ONNX = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softmax": "Softmax"}


def onnx_runtime(net, output, folder):
    """One Gemm and one activation for each layer, of a batch of one."""
    helper, numbers = package("onnx.helper"), package("onnx.numpy_helper")
    runtime = package("onnxruntime")
    nodes, values, last = [], [], "x"
    for l, (w, b) in enumerate(layers(net)):
        values += [numbers.from_array(np.ascontiguousarray(w), f"w{l}")]
        values += [numbers.from_array(np.ascontiguousarray(b), f"b{l}")]
        kind = (*net.hidden, output)[l]
        nodes += [helper.make_node("Gemm", [last, f"w{l}", f"b{l}"], [f"z{l}"], transB=1)]
        last = f"z{l}"
        if kind != "linear":
            nodes += [helper.make_node(ONNX[kind], [last], [f"a{l}"])]
            last = f"a{l}"
    ends = [
        [helper.make_tensor_value_info(name, 1, [1, n])]
        for name, n in (("x", net.sizes[0]), (last, net.sizes[-1]))
    ]
    graph = helper.make_graph(nodes, "net", *ends, values)
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda x: session.run(None, {"x": x[None]})[0][0]


def pytorch(net, output, folder):
    torch = package("torch")
    torch.set_num_threads(1)
    kinds = {
        **{"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid},
        **{"softmax": lambda: torch.nn.Softmax(-1), "linear": torch.nn.Identity},
    }
    modules = []
    for (w, b), kind in zip(layers(net), (*net.hidden, output), strict=True):
        linear = torch.nn.Linear(*w.shape[::-1])
        linear.load_state_dict({"weight": torch.tensor(w), "bias": torch.tensor(b)})
        modules += [linear, kinds[kind]()]
    module = torch.nn.Sequential(*modules).eval()

    def forward(x):
        with torch.inference_mode():
            return module(torch.from_numpy(x)).numpy()

    return forward


def fastnet_predictor(net, output, folder):
    return net.predictor()


PEERS = {
    "fastnet, to_c": fastnet_c,
    "fastnet, to_c, int8": fastnet_int8,
    "emlearn, inline": emlearn_inline,
    "emlearn, loadable": emlearn_loadable,
    "mlpfile, C": mlpfile_generated,
    "mlpfile, Eigen": mlpfile_eigen,
    "fastnet, predictor()": fastnet_predictor,
    "mlpfile, Model.forward": mlpfile_library,
    "ONNX Runtime": onnx_runtime,
    "PyTorch": pytorch,
}
