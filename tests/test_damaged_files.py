"""Files of networks that are damaged or wrong: one error that names the place."""

import json

import numpy as np
import pytest

import fastnet
from fastnet import Network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.json"


@pytest.fixture
def fields(path):
    """The content of a good file, to be spoilt."""
    net = Network([3, 4, 2], dtype="float64", seed=1)
    net.SGD(fastnet.Dataset(np.eye(3, dtype=np.uint8), [0, 1, 1], 0.3), 2, 2, 0.5, verbose=False)
    net.save(path)
    return json.loads(path.read_text())


def refused(path, content, *words):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"net\.json: ") as caught:
        fastnet.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message or "allowed" in message
    for word in words:
        assert word in message


def test_a_file_cut_off_anywhere_is_refused(path, fields):
    whole = json.dumps(fields)
    for length in range(0, len(whole), 7):
        refused(path, whole[:length], "JSON")


@pytest.mark.parametrize(
    "content",
    [
        "", "net", "{", "[1, 2", b"\x80\x04\x95 a pickle", b"\xff\xfe\x00", b"\x00" * 100,
        "import os", "{'sizes': [3, 2]}", "[" * 200_000, '{"a":' * 200_000, "1" * 5000,
    ],
    ids=lambda c: repr(c[:9]),
)  # fmt: skip
def test_a_file_that_is_not_json_is_refused(path, content):
    refused(path, content)


def test_the_error_for_another_file_names_all_formats(path):
    formats = "expected a network in JSON, .npz or .safetensors, found"
    refused(path, "", f"net.json: {formats} an empty file")
    refused(path, "# Text", f"net.json: {formats} invalid JSON: Expecting value: line 1 column 1")
    refused(path, b"\xff\xfe{", f"net.json: {formats} bytes that are not UTF-8")


@pytest.mark.parametrize("content", ["[]", "5", "null", "true", '"net"', "NaN", '[{"sizes": 3}]'])
def test_json_that_is_no_object_is_refused(path, content):
    refused(path, content, "object")


@pytest.mark.parametrize("key", ["sizes", "weights", "biases", "cost"])
def test_a_missing_key_is_named(path, fields, key):
    del fields[key]
    refused(path, json.dumps(fields), repr(key))


@pytest.mark.parametrize(
    "sizes",
    [[], [3], [3, 4], [4, 3, 2], [3, 4, 2, 2], [3, 4, 0], [3, -4, 2], [3.0, 4, 2], [True, 4, 2],
     ["3", 4, 2], [None, 4, 2], "342", 3, None, {}, [10**30, 4, 2], [3, 10**9, 2], [[3, 4, 2]]],
)  # fmt: skip
def test_sizes_that_are_wrong_or_do_not_fit_the_arrays_are_refused(path, fields, sizes):
    refused(path, json.dumps({**fields, "sizes": sizes}))


NO_NUMBERS = ["true", "false", '"1.0"', "null", "[1.0]", "{}", "NaN", "Infinity", "-Infinity",
              "1e999", "-1e999", "1" * 400, "1" * 4299, "1" * 5000]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS, ids=lambda n: n[:9])
@pytest.mark.parametrize(("key", "l"), [("weights", 0), ("weights", 1), ("biases", 1)])
def test_anything_but_finite_numbers_is_refused(path, fields, key, l, number):
    fields[key][l][-1][-1] = "here"
    words = () if number == "1" * 5000 else (f"{key}[{l}]", "number")
    refused(path, json.dumps(fields).replace('"here"', number), *words)


def test_a_number_beyond_the_type_that_the_file_names_is_refused(path, fields):
    fields["weights"][0][0][0] = 1e300
    path.write_text(json.dumps(fields))
    assert fastnet.load(path).weights[0][0, 0] == 1e300
    refused(path, json.dumps({**fields, "dtype": "float32"}), "weights[0]", "float32")


@pytest.mark.covering(1)
@pytest.mark.parametrize("key", ["weights", "biases"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda arrays: [],
        lambda arrays: None,
        lambda arrays: {"0": arrays[0]},
        lambda arrays: "arrays",
        lambda arrays: 1.0,
        lambda arrays: arrays[:1],
        lambda arrays: [*arrays, arrays[0]],
        lambda arrays: [arrays[0], arrays[0]],
        lambda arrays: arrays[::-1],
        lambda arrays: [arrays[0], []],
        lambda arrays: [arrays[0], None],
        lambda arrays: [arrays[0], [[]] * 2],
        lambda arrays: [arrays[0], arrays[1][:1]],
        lambda arrays: [arrays[0], [*arrays[1], arrays[1][0]]],
        lambda arrays: [arrays[0], [arrays[1][0], arrays[1][1][:-1]]],
        lambda arrays: [arrays[0], [arrays[1][0], [*arrays[1][1], 1.0]]],
        lambda arrays: [arrays[0], [row[0] for row in arrays[1]]],
        lambda arrays: [arrays[0], [[row] for row in arrays[1]]],
    ],
)
def test_arrays_of_wrong_shape_are_refused(path, fields, key, spoil):
    fields[key] = spoil(fields[key])
    refused(path, json.dumps(fields), key)


class Innocent:
    """Must not be found by its name."""

    fn = delta = staticmethod(print)


@pytest.mark.parametrize(
    "cost",
    ["Innocent", "test_persistence.Innocent", "os.system", "Network", "__import__", "quadratic",
     "crossentropycost", "", "CrossEntropyCost ", "fn", "PAIRS", 5, None, True, [], {},
     ["CrossEntropyCost"]],
)  # fmt: skip
def test_a_cost_that_is_not_in_the_fixed_table_is_refused(path, fields, cost, monkeypatch):
    # not even where the reader could find it
    for module in (fastnet, fastnet.network, fastnet.nn.costs, fastnet.io.persistence):
        monkeypatch.setattr(module, "Innocent", Innocent, raising=False)
    refused(path, json.dumps({**fields, "cost": cost}), "cost", repr(cost))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("output", v) for v in ("relu", "", 5, True, [], {}, ["sigmoid"], "softmax")),
        *(("dtype", v) for v in ("float16", "int32", "", 64, True, [], {}, "object", "f8")),
        *(("own_cost", v) for v in (1, "true", [])),
        *(("input_scale", v) for v in (-1, "1", True, [], {}, [1.0])),
    ],
)
def test_wrong_values_of_the_further_keys_are_refused(path, fields, key, value):
    refused(path, json.dumps({**fields, key: value}), key, repr(value).strip("'"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" * 400])
def test_a_scale_that_is_not_finite_is_refused(path, fields, number):
    text = json.dumps({**fields, "input_scale": "here"})
    refused(path, text.replace('"here"', number), "input_scale")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", ["3"] * 500_000), ("sizes", "3" * 500_000), ("hidden", {"a": "b" * 500_000}),
        ("cost", "c" * 500_000), ("cost", ["c"] * 500_000), ("output", "o" * 500_000),
        ("dtype", "f" * 500_000), ("own_cost", [1] * 500_000), ("input_scale", [1] * 500_000),
        ("weights", [["w" * 500_000]]),
        ("weights", [[[0.0] * n for n in range(800)], []]), ("input_scale", -(10**4000)),
    ],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_messages_about_long_values_stay_short(path, fields, key, value):
    path.write_text(json.dumps({**fields, key: value}))
    with pytest.raises(ValueError, match=rf"net\.json: .*{key}") as caught:
        fastnet.load(path)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_a_message_about_a_missing_key_names_the_first_of_many(path):
    path.write_text(json.dumps(dict.fromkeys(map(str, range(300_000)))))
    with pytest.raises(ValueError, match="expected the key 'sizes', found ") as caught:
        fastnet.load(path)
    assert len(str(caught.value)) < 200 + len(str(path))


def test_keys_of_later_versions_are_passed_over(path, fields):
    path.write_text(json.dumps({**fields, "momentum": 0.9}))
    assert fastnet.load(path).weights[0].tolist() == fields["weights"][0]
