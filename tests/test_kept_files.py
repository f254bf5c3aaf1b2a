"""Files of every format and version that fastnet and the book's program have written stay readable.

tests/data/make_files.py wrote them, and says what they contain.
"""

import runpy
from pathlib import Path

import numpy as np
import pytest

import fastnet
from fastnet.io import network_fields, persistence

FOLDER = Path(__file__).parent / "data" / "files"
MAKE = runpy.run_path(str(FOLDER.parent / "make_files.py"))
PLAIN = {"features": None, "classes": None, "inputs": None}
NAMED = {
    "cost": fastnet.HuberCost(2.5),
    "output": "linear",
    "hidden": [fastnet.LeakyReLU(0.2)],
    "dtype": "float32",
    "input_scale": None,
    "features": ("a", "b", "ü"),
    "classes": ("no", "yes"),
    "inputs": fastnet.Standardize([1 / 3, 0, -2.5], [0.1, 1, 7], features=["a", "b", "ü"]),
}
HELD = {
    "book.json": {
        "cost": fastnet.QuadraticCost,
        "output": "sigmoid",
        "hidden": ["sigmoid"],
        "dtype": "float64",
        "input_scale": None,
        **PLAIN,
    },
    "0_first.json": {
        "cost": fastnet.LogLikelihoodCost,
        "output": "softmax",
        "hidden": ["sigmoid"],
        "dtype": "float32",
        "input_scale": 1 / 256,
        **PLAIN,
    },
    "0_costs.json": {
        "cost": fastnet.HuberCost(2.5),
        "output": "linear",
        "hidden": ["tanh"],
        "dtype": "float64",
        "input_scale": None,
        **PLAIN,
    },
    "0_names.json": NAMED,
    **{f"1_named{suffix}": NAMED for suffix in persistence.FORMATS},
}
TABLES = [f"1_table{suffix}" for suffix in persistence.FORMATS]


def loaded(name):
    if name.endswith(".safetensors"):
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    return fastnet.load(FOLDER / name)


def test_there_is_a_file_of_each_format_and_version():
    assert {file.name for file in FOLDER.iterdir()} == {*HELD, *TABLES}
    for version in range(1, network_fields.FORMAT_VERSION + 1):
        for suffix in persistence.FORMATS:
            assert f"{version}_named{suffix}" in HELD


@pytest.mark.parametrize("name", HELD)
def test_a_kept_file_gives_the_network_that_was_saved(name):
    net = loaded(name)
    assert net.sizes == [3, 4, 2]
    for attribute, value in HELD[name].items():
        assert getattr(net, attribute) == value
    weights, biases = MAKE["parameters"]()
    for array, number in zip([*net.weights, *net.biases], [*weights, *biases], strict=True):
        np.testing.assert_array_equal(array, number.astype(net.dtype), strict=True)


@pytest.mark.parametrize("name", TABLES)
def test_a_kept_file_gives_the_table_that_was_saved(name):
    net = loaded(name)
    assert net.inputs.task == "classification"
    assert net.features == ("x", "x is missing", "kind=p", "kind=q")
    assert net.classes == ("off", "on")
    np.testing.assert_array_equal(net.weights[0], np.arange(8).reshape(2, 4) / 7, strict=True)
    np.testing.assert_array_equal(net.biases[0], [[-1 / 7], [1 / 3]], strict=True)
    assert net == MAKE["table"]()


@pytest.mark.parametrize("name", [name for name in HELD if name.startswith("1_")] + TABLES)
def test_what_is_written_today_has_the_bytes_of_the_kept_file(name, tmp_path):
    """A change of these bytes is a change of the format: it needs a new version, and new files
    beside the old ones."""
    net = loaded(name)
    net.save(tmp_path / name)
    kept = (FOLDER / name).read_bytes()
    if fastnet.__version__ == "0.2.0":
        assert (tmp_path / name).read_bytes() == kept
    assert b'"fastnet_version": "0.2.0"' in kept or rb"\"fastnet_version\": \"0.2.0\"" in kept
