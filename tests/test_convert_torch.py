"""Networks to PyTorch and back: equal outputs, exact parameters, what does not fit is refused."""

import contextlib
import copy
import io
import pickle
from itertools import pairwise

import numpy as np
import pytest
from conftest import OTHER_ACTIVATIONS

import fastnet
from fastnet import Network, Standardize
from fastnet.nn.activations import ACTIVATIONS, CLASSES, HIDDEN, OUTPUTS
from fastnet.nn.costs import COSTS

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn

KINDS = [*HIDDEN, *OTHER_ACTIVATIONS]
COST_OF = {output: next(c for c in COSTS if output in c.errors) for output in OUTPUTS}
# The largest difference of outputs of about 1, from the order of the sums and the functions.
CLOSE = {"float32": 2e-6, "float64": 1e-14}
RANDOM = np.random.default_rng(3)
X = 2 * RANDOM.standard_normal((50, 7))
RAW = X * 30 + 100  # inputs that are not standardized
BYTES = RANDOM.integers(0, 256, (50, 7), dtype=np.uint8)


def network(hidden="tanh", output="sigmoid", dtype="float32", sizes=(7, 9, 8, 3), **options):
    return Network(
        sizes, COST_OF[output], output=output, hidden=hidden, dtype=dtype, seed=2, **options
    )


def outputs(module, X):
    with torch.no_grad():
        return module(torch.tensor(X)).numpy()


def assert_same_outputs(net, module, X=X, rows=None):
    """The module's outputs, of the network's type, are those of the network; they vary."""
    a = net.feedforward(X if rows is None else rows)
    ours = outputs(module, X)
    assert ours.dtype == a.dtype == net.dtype
    assert np.ptp(a, axis=0).min() > 1e-3
    np.testing.assert_allclose(ours, a, rtol=CLOSE[net.dtype.name], atol=CLOSE[net.dtype.name])


# ---- to PyTorch


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("hidden", KINDS, ids=str)
def test_every_kind_of_hidden_neurons_computes_the_same_in_pytorch(hidden, dtype):
    net = network(hidden, dtype=dtype)
    module = net.to_torch()
    assert type(module) is nn.Sequential
    assert_same_outputs(net, module, X.astype(dtype))
    net = network(hidden, "linear", dtype=dtype)
    assert_same_outputs(net, net.to_torch(), X.astype(dtype))


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("sizes", [(7, 9, 3), (7, 3)])
def test_every_kind_of_outputs_computes_the_same_in_pytorch(output, sizes, dtype):
    net = network("tanh", output, dtype, sizes)
    assert_same_outputs(net, net.to_torch(), X.astype(dtype))


@pytest.mark.thorough
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_mnists_test_digits_have_the_same_outputs_in_pytorch(hidden, output):
    _, _, test = fastnet.load_mnist()
    net = network(hidden, output, sizes=(784, 30, 10))
    digits = test.X * np.float32(test.scale)
    assert_same_outputs(net, net.to_torch(), digits)


def test_one_example_without_a_dimension_for_examples_is_taken_too():
    for output in OUTPUTS:
        net = network("relu", output)
        module = net.to_torch()
        one, many = (outputs(module, x.astype("f4")) for x in (X[0], X[:1]))
        assert one.shape == (3,)
        np.testing.assert_array_equal(one, many[0])


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("with_mean", [True, False])
def test_standardization_is_the_first_module_and_takes_raw_inputs(dtype, with_mean):
    by = Standardize.fit(RAW, with_mean)
    net = network(dtype=dtype, inputs=by)
    module = net.to_torch()
    for rows in (RAW, RAW.astype("f4"), RAW.astype(int), BYTES):
        assert_same_outputs(net, module, rows)
        standardized = outputs(module[0], rows)
        np.testing.assert_array_equal(standardized, by.transform(rows, dtype=dtype))
    buffers = dict(module[0].named_buffers())
    assert ("mean" in buffers) == with_mean
    np.testing.assert_array_equal(buffers["deviation"].numpy(), by.deviation)


@pytest.mark.parametrize("inputs", [None, Standardize.fit(BYTES / 256)])
def test_bytes_are_scaled_as_by_the_network_and_other_inputs_are_not(inputs):
    net = network("relu", "softmax", inputs=inputs)
    data = fastnet.Dataset(BYTES, np.arange(50) % 3, scale=1 / 256)
    net.SGD(data, 1, 10, 0.1, verbose=False)
    assert net.input_scale == 1 / 256
    module = net.to_torch()
    assert_same_outputs(net, module, BYTES)
    assert_same_outputs(net, module, BYTES / 256)
    np.testing.assert_array_equal(outputs(module, BYTES), outputs(module, BYTES / 256))


def test_without_scale_and_standardization_there_is_no_further_module():
    assert [type(each) for each in network().to_torch()] == [
        nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear, nn.Sigmoid,
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize(
    "by",
    [Standardize.fit(RAW), Standardize.fit(RAW, with_mean=False), None,
     Standardize.fit(dict(zip("abcdefg", RAW.T, strict=True)))],
)  # fmt: skip
@pytest.mark.parametrize("scale", [1 / 255, None])
def test_the_module_can_be_compiled_by_torchscript(by, scale):
    net = network("gelu", "exponential", inputs=by)
    if scale is not None:
        net.SGD(fastnet.Dataset(BYTES, np.eye(3)[np.arange(50) % 3], scale), 1, 10, 0.0)
    given = X.astype("f4") if scale is None else BYTES
    assert_same_outputs(net, torch.jit.script(net.to_torch()), given)


def test_converting_the_module_to_another_type_converts_its_results():
    net = network(inputs=Standardize.fit(RAW))
    module = net.to_torch().double()
    assert outputs(module, RAW).dtype == np.float64
    np.testing.assert_allclose(outputs(module, RAW), net.feedforward(RAW), atol=1e-6)


def test_the_parameters_are_copies():
    net = network()
    before, module = net.copy(), net.to_torch()
    a = outputs(module, X.astype("f4"))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert net == before
    module = net.to_torch()
    net.large_weight_initializer()
    np.testing.assert_array_equal(outputs(module, X.astype("f4")), a)


def test_modes_make_no_difference_and_pytorchs_generator_is_not_drawn_from():
    state = torch.random.get_rng_state()
    module = network().to_torch()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert module.training
    trained = outputs(module, X.astype("f4"))
    np.testing.assert_array_equal(outputs(module.eval(), X.astype("f4")), trained)


def test_the_gradient_of_pytorch_is_that_of_the_network():
    net = network("gelu", dtype="float64", inputs=Standardize.fit(RAW))
    net.cost = "cross-entropy"
    module, y = net.to_torch(), RANDOM.random((50, 3))
    loss = nn.functional.binary_cross_entropy(module(torch.tensor(RAW)), torch.tensor(y))
    (loss * 3).backward()  # the mean over examples and outputs
    nabla_b, nabla_w = net.gradient((RAW, y))
    linear = [each for each in module if isinstance(each, nn.Linear)]
    for each, b, w in zip(linear, nabla_b, nabla_w, strict=True):
        assert np.abs(w).max() > 1e-4
        np.testing.assert_allclose(each.weight.grad.numpy(), w, atol=1e-14)
        np.testing.assert_allclose(each.bias.grad.numpy(), b[:, 0], atol=1e-14)


def test_the_names_are_attributes_and_survive_copies_pickles_and_files():
    classes, features = ["a", 2, True], [f"x{j}" for j in range(7)]
    net = network(classes=classes, features=features, inputs=Standardize.fit(RAW))
    module, file = net.to_torch(), io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    read = torch.load(file, weights_only=False)
    for each in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module)), read):
        assert each.classes == net.classes == tuple(classes)
        assert each.features == net.features
        assert_same_outputs(net, each, RAW)
    assert network().to_torch().classes is None


def test_the_state_can_be_loaded_into_the_module_of_another_network():
    net = network(inputs=Standardize.fit(RAW))
    other = network(inputs=Standardize.fit(RAW / 2))
    other.large_weight_initializer()
    module = other.to_torch()
    module.load_state_dict(net.to_torch().state_dict())
    assert_same_outputs(net, module, RAW)


def test_a_table_is_left_to_python_and_its_numbers_are_taken():
    rows = {"age": [20.0, 30.0, 41.0, 52.0] * 5, "town": ["Rome", "Oslo", "Rome", "Bern"] * 5}
    target = [1.0, 2.5, 3.5, 4.0] * 5
    fit = fastnet.fit_table({**rows, "y": target}, target="y", verbose=False, seed=1)
    assert_same_outputs(fit.net, fit.net.to_torch(), fit.net.inputs.encode(rows), rows)


def test_an_activation_without_a_module_is_refused_by_name(monkeypatch):
    for role, kind, net in (
        ("hidden[1]", "swish", network(["tanh", "swish"])),
        ("output", "exponential", network(output="exponential")),
    ):
        monkeypatch.setattr(type(ACTIVATIONS[kind]), "torch_module", None)
        with pytest.raises(ValueError, match=rf"^{role}: expected one of sigmoid, .*; got {kind}$".
                           replace("[", r"\[").replace("]", r"\]")):  # fmt: skip
            net.to_torch()


def test_parameters_that_are_not_finite_are_refused():
    net = network()
    net.weights[1][0, 0] = np.inf
    with pytest.raises(ValueError, match=r"^weights, biases: expected finite numbers, .*weights"):
        net.to_torch()


def test_every_activation_has_a_module():
    """A new one of docs/adding-things.md has none, until its class names it."""
    assert [each.name for each in CLASSES if each.torch_module is None] == []


# ---- back


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("hidden", KINDS, ids=str)
def test_a_network_returns_from_pytorch_with_all_bits(hidden, dtype):
    for output in OUTPUTS:
        net = network(["sigmoid", hidden], output, dtype)
        assert Network.from_torch(net.to_torch(), net.cost) == net


def test_scale_standardization_and_names_return_too():
    for by in (Standardize.fit(RAW), Standardize.fit(RAW, with_mean=False), None):
        names = {"classes": ["b", "a", "c"], "features": [*"abcdefg"]}
        net = network("relu", "softmax", inputs=by, **names)
        data = fastnet.Dataset(BYTES, np.arange(50) % 3, scale=1 / 255)
        net.SGD(data, 1, 10, 0.1, verbose=False)
        back = Network.from_torch(net.to_torch(), net.cost)
        assert back == net
        assert back.features == net.features
        assert back.input_scale == net.input_scale == 1 / 255
        assert back.inputs == by
        other = Network.from_torch(net.to_torch(), classes=[1, 2, 3], features=[*"gfedcba"])
        assert (other.classes, other.features) == ((1, 2, 3), tuple("gfedcba"))


def test_the_names_of_a_standardization_return_too():
    """It was fitted to a frame, whose columns are then found by name."""
    frame = dict(zip("abcdefg", RAW.T, strict=True))
    net = network(inputs=Standardize.fit(frame))
    assert net.inputs.features == tuple("abcdefg")
    for module in (net.to_torch(), copy.deepcopy(net.to_torch()).double().float()):
        assert Network.from_torch(module, net.cost).inputs.features == net.inputs.features
    assert Network.from_torch(net.to_torch(), net.cost) == net
    with pytest.raises(ValueError, match=r"^features: "):
        Network.from_torch(net.to_torch(), features=[*"gfedcba"])


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_cost_is_the_usual_one_or_the_given_one(output):
    module = network(output=output).to_torch()
    usual = {"sigmoid": "cross-entropy", "softmax": "log-likelihood", "linear": "quadratic",
             "exponential": "poisson"}  # fmt: skip
    assert Network.from_torch(module).cost.name == usual[output]
    for cost in COSTS:
        if output in cost.errors:
            assert Network.from_torch(module, cost).cost is cost
        else:
            with pytest.raises(ValueError, match=f"^output: {output} does not go with"):
                Network.from_torch(module, cost)


def sequential(*parts):
    """An nn.Sequential of modules and of functions that make one, after a fixed seed."""
    torch.manual_seed(4)
    return nn.Sequential(*[part if isinstance(part, nn.Module) else part() for part in parts])


def assert_read(module, sizes, hidden, output, X=X):
    net = Network.from_torch(module)
    assert (net.sizes, net.hidden, net.output) == (sizes, hidden, output)
    rows = X.reshape(len(X), -1).astype(net.dtype)
    a = outputs(copy.deepcopy(module).eval(), X.astype(net.dtype))
    assert np.ptp(a) > 1e-3
    close = CLOSE[net.dtype.name]
    np.testing.assert_allclose(net.feedforward(rows), a, rtol=close, atol=close)
    return net


def test_modules_of_other_programs_are_read():
    act = nn.ReLU(inplace=True)  # one module in two places
    assert_read(
        nn.Sequential(nn.Linear(7, 5), act, nn.Linear(5, 4, bias=False), act, nn.Linear(4, 2)),
        [7, 5, 4, 2], ["relu", "relu"], "linear",
    )  # fmt: skip
    assert_read(
        nn.Sequential(
            nn.Flatten(),
            nn.Sequential(nn.Linear(7, 5), nn.Sequential(nn.LeakyReLU(0.3), nn.Dropout(0.5))),
            nn.Identity(),
            nn.Sequential(),
            nn.Linear(5, 4),
            nn.Flatten(1),
            nn.Linear(4, 3),
            nn.Dropout(0.9),
            nn.Softmax(dim=1),
        ).double(),
        [7, 5, 4, 3], [fastnet.LeakyReLU(0.3), "linear"], "softmax",
    )  # fmt: skip
    assert_read(nn.Linear(7, 2, dtype=torch.float64), [7, 2], [], "linear")
    images = nn.Sequential(nn.Flatten(), nn.Linear(6, 2), nn.Sigmoid())
    assert_read(images, [6, 2], [], "sigmoid", X[:, :6].reshape(50, 2, 3))


def test_the_network_has_copies_and_can_be_trained_the_module_stays():
    module = sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(-1))
    before = copy.deepcopy(module.state_dict())
    net, other = (Network.from_torch(module, seed=1) for _ in range(2))
    net.SGD((X, np.arange(50) % 3), 3, 10, 0.5, verbose=False)
    assert net != other
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])
    with torch.no_grad():
        module[0].weight.zero_()
    assert other == Network.from_torch(network_module(before), seed=1)


def network_module(state):
    module = sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(-1))
    module.load_state_dict(state)
    return module


class MyLinear(nn.Linear):
    def forward(self, x):
        return -super().forward(x)


def pruned():
    from torch.nn.utils import prune

    return prune.l1_unstructured(nn.Linear(7, 3), "weight", amount=2)


def hooked():
    linear = nn.Linear(7, 3)
    linear.register_forward_hook(lambda module, inputs, z: -z)
    return linear


def hooked_before():
    identity = nn.Identity()
    identity.register_forward_pre_hook(lambda module, inputs: (-inputs[0],))
    return identity


def other_forward():
    linear = nn.Linear(7, 3)
    linear.forward = lambda x: -nn.Linear.forward(linear, x)
    return linear


def not_finite():
    linear = nn.Linear(7, 3)
    with torch.no_grad():
        linear.bias[1] = float("nan")
    return linear


REFUSED = {
    "BatchNorm1d": ([nn.Linear(7, 3), nn.Tanh(), nn.BatchNorm1d(3)], TypeError,
                    "module[2]: expected one of Linear, Sigmoid,", "got BatchNorm1d"),
    "nested": ([nn.Sequential(nn.Linear(7, 3), nn.Sequential(nn.Tanh(), nn.Conv1d(1, 1, 1)))],
               TypeError, "module[0][1][1]: expected", "got Conv1d"),
    "LogSoftmax": ([nn.Linear(7, 3), nn.LogSoftmax(1)], TypeError, "module[1]:", "got LogSoftmax"),
    "a subclass": ([MyLinear(7, 3)], TypeError, "module[0]:", "got MyLinear"),
    "pruned": ([pruned], ValueError, "module[0]: expected a Linear with the parameters weight and "
               "bias", "got weight_orig"),
    "parametrized": ([lambda: nn.utils.parametrizations.weight_norm(nn.Linear(7, 3))], TypeError,
                     "module[0]:", "got ParametrizedLinear"),
    "two activations": ([nn.Linear(7, 3), nn.ReLU(), nn.Sigmoid()], ValueError,
                        "module[2]: expected a Linear after ReLU", "got Sigmoid"),
    "activation first": ([nn.ReLU(), nn.Linear(7, 3)], ValueError,
                         "module[0]: expected a Linear after the inputs", "got ReLU"),
    "output": ([nn.Linear(7, 3), nn.ReLU()], ValueError,
               "module[1]: expected one of Sigmoid, Softmax, Identity, Exp for the outputs",
               "got ReLU"),
    "hidden": ([nn.Linear(7, 3), nn.Softmax(1), nn.Linear(3, 2)], ValueError,
               "module[1]: expected one of Sigmoid, Identity, Tanh,", "got Softmax"),
    "dim": ([nn.Linear(7, 3), nn.Softmax(dim=0)], ValueError,
            "module[1].dim: expected -1 or 1", "got 0"),
    "approximate": ([nn.Linear(7, 3), nn.GELU("tanh"), nn.Linear(3, 3)], ValueError,
                    "module[1].approximate: expected 'none'", "got 'tanh'"),
    "slope": ([nn.Linear(7, 3), nn.LeakyReLU(1.5), nn.Linear(3, 3)], ValueError,
              "module[1]: slope: expected a number over 0 and at most 1", "got 1.5"),
    "Flatten": ([nn.Flatten(0), nn.Linear(7, 3)], ValueError,
                "module[0]: expected Flatten(start_dim=1, end_dim=-1)", "start_dim=0"),
    "half": ([nn.Linear(7, 3, dtype=torch.bfloat16)], TypeError,
             "module[0].weight: expected a tensor in float32 or float64", "got bfloat16"),
    "meta": ([nn.Linear(7, 3, device="meta")], TypeError, "module[0].weight: expected",
             "device meta"),
    "types": ([nn.Linear(7, 3), nn.Linear(3, 3).double()], TypeError,
              "module[1]: expected float32, as module[0]", "got float64"),
    "shapes": ([nn.Linear(7, 3), nn.Linear(4, 3)], ValueError,
               "module[1]: expected 3 inputs, the outputs of module[0]", "got 4"),
    "NaN": ([not_finite], ValueError, "module[0]: expected finite parameters", "NaN"),
    "lazy": ([nn.LazyLinear(3)], TypeError, "module[0]:", "got LazyLinear"),
    "hook": ([hooked], ValueError, "module[0]: expected a module without hooks", "forward_hooks"),
    "hook before": ([hooked_before, nn.Linear(7, 3)], ValueError,
                    "module[0]: expected a module without hooks", "forward_pre_hooks"),
    "forward": ([other_forward], ValueError, "module[0]: expected the forward of its class",
                "one of the object"),
    "no Linear": ([nn.Flatten()], ValueError, "module: expected a Linear or more", "got none"),
    "empty": ([], ValueError, "module: expected a Linear or more", "got none"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_a_network_has_not_is_refused_by_index_and_class(name):
    parts, kind, begin, end = REFUSED[name]
    with pytest.raises(kind) as caught:
        Network.from_torch(sequential(*parts))
    message = str(caught.value)
    assert message.startswith(begin)
    assert end in message
    assert "\n" not in message


def modules_of_torch():
    """Modules of the classes of torch.nn that need no arguments, or only sizes; not transformers,
    which are large."""
    for name, kind in vars(nn).items():
        if isinstance(kind, type) and issubclass(kind, nn.Module) and "Transformer" not in name:
            for arguments in ((), (3,), (3, 3)):
                with contextlib.suppress(Exception):
                    yield kind(*arguments).eval()
                    break


@pytest.mark.filterwarnings("ignore")
def test_each_module_of_torch_is_refused_or_computes_the_same():
    modules, read = [*modules_of_torch()], set()
    assert len(modules) > 80
    for module in modules:
        for parts in ((module,), (module, nn.Linear(3, 2))):
            whole, message = sequential(nn.Linear(7, 3), *parts), ""
            try:
                net = Network.from_torch(whole)
            except (TypeError, ValueError) as error:
                message = str(error)
            name = type(module).__name__
            assert message == "" or message.startswith("module"), name
            if not message:
                read.add(name)
                a = outputs(whole, X.astype("f4"))
                np.testing.assert_allclose(net.feedforward(X), a, atol=2e-6, err_msg=name)
    known = {kind.torch_module[0] for kind in CLASSES if kind.torch_module} & {*vars(nn)}
    without_arguments = known - {"Softmax"}  # which needs its dimension
    assert read == without_arguments | {"Dropout", "Flatten", "Linear", "Sequential"}


def test_other_objects_are_refused():
    class Net(nn.Module):
        pass

    for value, got in (([1], r"\[1\]"), (nn.Linear, "class"), (network(), "Network")):
        with pytest.raises(TypeError, match=rf"^module: expected an nn.Sequential, got .*{got}"):
            Network.from_torch(value)
    with pytest.raises(TypeError, match=r"^module: expected one of Linear, .*; got Net$"):
        Network.from_torch(Net())


def test_the_first_module_of_to_torch_is_refused_in_another_place():
    module = network(inputs=Standardize.fit(RAW)).to_torch()
    moved = nn.Sequential(module[1], module[0])
    with pytest.raises(TypeError, match=r"^module\[1\]: .*got Inputs$"):
        Network.from_torch(moved)


def test_it_may_follow_modules_that_are_skipped_but_not_another_one_of_its_kind():
    net = network(inputs=Standardize.fit(RAW))
    module = nn.Sequential(nn.Flatten(), nn.Dropout(), net.to_torch())
    assert Network.from_torch(module, net.cost) == Network.from_torch(net.to_torch(), net.cost)
    with pytest.raises(TypeError, match=r"^module\[1\]: .*got Inputs$"):
        Network.from_torch(nn.Sequential(net.to_torch()[0], *net.to_torch()))


@pytest.mark.parametrize("change", ["meta", "half"])
def test_its_means_have_to_be_numbers_of_the_networks_types(change):
    module = getattr(torch.nn.Module, change, lambda m: m.to("meta"))(
        network(inputs=Standardize.fit(RAW)).to_torch()
    )
    with pytest.raises(TypeError, match=r"^module\[0\].mean: expected a tensor in float32 or"):
        Network.from_torch(module)


@pytest.mark.parametrize("name", ["weight", "bias"])
@pytest.mark.parametrize("kind", ["buffer", "attribute"])
def test_parameters_that_are_not_trained_count_too(name, kind):
    module = sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3))
    tensor = getattr(module[0], name).detach()
    delattr(module[0], name)
    if kind == "buffer":
        module[0].register_buffer(name, tensor)
    else:
        setattr(module[0], name, tensor)
    assert_read(module, [7, 5, 3], ["tanh"], "linear")


def test_hooks_on_a_sequential_are_refused_too():
    module = sequential(nn.Linear(7, 3))
    module.register_forward_hook(lambda module, inputs, z: -z)
    with pytest.raises(ValueError, match=r"^module: expected a module without hooks"):
        Network.from_torch(module)


def test_a_subclass_returns_its_own_kind():
    class Mine(Network):
        pass

    assert type(Mine.from_torch(network().to_torch())) is Mine


def test_the_order_of_the_modules_is_that_of_the_layers():
    net = network(["relu", "gelu"], "softmax")
    shapes = [(p.shape[1], p.shape[0]) for p in net.to_torch().parameters() if p.ndim == 2]
    assert shapes == [*pairwise(net.sizes)]
