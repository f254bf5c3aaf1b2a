"""Files that are damaged, wrong or made to harm, each with words that the error must have."""

import importlib.util
import io
import json
import pickle
import struct
import zipfile
import zlib

import numpy as np

SIZES = [3, 4, 2]
SHAPES = {"weights_0": (4, 3), "biases_0": (4, 1), "weights_1": (2, 4), "biases_1": (2, 1)}
ARRAYS = {
    name: (np.arange(np.prod(shape)).reshape(shape) / 7).astype("f4")
    for name, shape in SHAPES.items()
}
FIELDS = {
    "kind": "network",
    "format_version": 1,
    "fastnet_version": "0.2.0",
    "sizes": SIZES,
    "cost": "CrossEntropyCost",
    "own_cost": False,
    "output": "sigmoid",
    "hidden": ["sigmoid"],
    "dtype": "float32",
    "input_scale": None,
}
DEEP = "[" * 100_000
LONG_NUMBER = "1" * 5000
STANDARDIZE = {"name": "standardize", "mean": [0.0] * 3, "deviation": [1.0] * 3, "features": None}

# Fields that are wrong in every format: what replaces or is added, and words of the error.
WRONG_FIELDS = {
    "newer version": ({"format_version": 2}, "format_version"),
    "checkpoint": ({"kind": "checkpoint"}, "'checkpoint'"),
    "no sizes": ({"sizes": []}, "sizes"),
    "sizes too large": ({"sizes": [10**9, 10**9, 10**9]}, "expected"),
    "sizes beyond 64 bits": ({"sizes": [3, 10**30, 2]}, "expected"),
    "many layers": ({"sizes": [1] * 200_000}, "expected"),
    "negative sizes": ({"sizes": [3, -4, 2]}, "sizes"),
    "sizes as reals": ({"sizes": [3.0, 4, 2]}, "sizes"),
    "sizes as text": ({"sizes": "342"}, "sizes"),
    "other sizes": ({"sizes": [4, 3, 2]}, "expected"),
    "command as cost": ({"cost": "os.system"}, "os.system"),
    "module as cost": ({"cost": "this"}, "'this'"),
    "class of fastnet as cost": ({"cost": "Network"}, "'Network'"),
    "builtin as cost": ({"cost": "__import__"}, "__import__"),
    "object as cost": ({"cost": {"class": "os.system", "command": "true"}}, "cost"),
    "cost with a wrong parameter": ({"cost": {"class": "HuberCost", "threshold": -1}}, "cost"),
    "cost with more parameters": ({"cost": {"class": "HuberCost", "a": 1}}, "cost"),
    "cost of one's own": ({"own_cost": True}, "cost"),
    "own_cost as text": ({"own_cost": "yes"}, "own_cost"),
    "module as output": ({"output": "this"}, "output"),
    "output that does not go with the cost": ({"output": "softmax"}, "softmax"),
    "module as hidden": ({"hidden": ["this"]}, "hidden"),
    "command as hidden": ({"hidden": [{"name": "os.system", "slope": 0.1}]}, "hidden"),
    "hidden with a wrong slope": ({"hidden": [{"name": "leaky-relu", "slope": "0"}]}, "hidden"),
    "too many hidden": ({"hidden": ["sigmoid"] * 1000}, "hidden"),
    "output kind as hidden": ({"hidden": ["softmax"]}, "hidden"),
    "dtype of objects": ({"dtype": "object"}, "dtype"),
    "dtype of half": ({"dtype": "float16"}, "dtype"),
    "negative scale": ({"input_scale": -1}, "input_scale"),
    "module as inputs": ({"inputs": {"name": "this"}}, "inputs"),
    "dotted inputs": ({"inputs": {"name": "fastnet.data.table.Table"}}, "inputs"),
    "inputs as a list": ({"inputs": [1, 2, 3]}, "inputs"),
    "inputs without state": ({"inputs": {"name": "standardize"}}, "inputs"),
    "table without state": ({"inputs": {"name": "table"}}, "inputs"),
    "table of nonsense": (
        {"inputs": {"name": "table", "columns": 5, "target": [], "standardize": {}}},
        "inputs",
    ),
    "too few means": ({"inputs": {**STANDARDIZE, "mean": [0.0]}}, "inputs"),
    "means as texts": ({"inputs": {**STANDARDIZE, "mean": ["a", "b", "c"]}}, "inputs"),
    "means as lists": ({"inputs": {**STANDARDIZE, "mean": [[[0.0]]] * 3}}, "inputs"),
    "other number of features": (
        {"inputs": {**STANDARDIZE, "mean": None, "deviation": [1.0] * 5}},
        "inputs",
    ),
    "features as numbers": ({"features": [1, 2, 3]}, "features"),
    "features twice": ({"features": ["a", "a", "b"]}, "features"),
    "too many classes": ({"classes": ["a", "b", "c"]}, "classes"),
    "classes as lists": ({"classes": [[], []]}, "classes"),
    "classes as a text": ({"classes": "ab"}, "classes"),
}


# ---- .npz


def npy(array=None, *, descr="<f4", shape="(4, 3)", data=b"", header=None, version=1):
    """The bytes of an array, or of a header of one's own."""
    if array is not None:
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        return file.getvalue()
    if header is None:
        header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"
    if isinstance(header, str):
        header = header.encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def member(name, data, **faults):
    """A member of an archive; ``faults`` replace what its records say."""
    said = {"name": name, "size": len(data), "packed": len(data), "crc": zlib.crc32(data),
            "method": 0, "flags": 0, "offset": None, "local": name, "extra": b"",
            "signature": b"PK\x01\x02"}  # fmt: skip
    return {**said, "data": data, **faults}


def archive(members, **end):
    """A zip archive of these members, whose end says what ``end`` has."""
    made, directory = b"", b""
    for one in members:
        offset = len(made) if one["offset"] is None else one["offset"]
        name, local = one["name"], one["local"]
        name, local = (n if isinstance(n, bytes) else n.encode() for n in (name, local))
        sizes = [min(n, 0xFFFFFFFF) for n in (one["packed"], one["size"])]
        common = (20, one["flags"], one["method"], 0, 33, one["crc"], *sizes)
        made += struct.pack("<4s5H3I2H", b"PK\x03\x04", *common, len(local), 0)
        made += local + one["data"]
        directory += struct.pack(
            "<4s6H3I5H2I", one["signature"], 20, *common, len(name), len(one["extra"]), 0, 0, 0,
            0, offset,
        ) + name + one["extra"]  # fmt: skip
    said = {"disk": 0, "count": len(members), "length": len(directory), "first": len(made),
            "comment": 0, **end}  # fmt: skip
    record = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", said["disk"], said["disk"], said["count"], said["count"],
        said["length"], said["first"], said["comment"],
    )  # fmt: skip
    return made + directory + said.get("before", b"") + record


def text_of(fields):
    return json.dumps(fields).encode()


def members(fields=None, **changed):
    """The members of a network's file; ``changed`` are bytes in place of arrays, None for none."""
    meta = np.array(text_of(FIELDS if fields is None else fields))
    contents = {"fastnet": npy(meta), **{name: npy(a) for name, a in ARRAYS.items()}}
    contents |= changed
    return [member(f"{n}.npy", data) for n, data in contents.items() if data is not None]


def with_array(**arrays):
    return archive(members(**{name: npy(array) for name, array in arrays.items()}))


def with_text(text):
    return with_array(fastnet=np.array(text))


class Harmful:
    """Leaves a trace if its pickle is read."""

    def __reduce__(self):
        return exec, ("import builtins; builtins.harmed = True",)


def npz_files():
    """(name, bytes, word of the error)"""
    good = archive(members())
    weights = npy(ARRAYS["weights_0"])
    rest = members(weights_0=None)
    yield "good", good, None
    yield "bytes after the end", good + bytes(100), "cut off"
    yield "bytes before the beginning", b"PK\x03\x04" + good, "expected"
    yield "comment", archive(members(), comment=5), "directory"
    yield "several disks", archive(members(), disk=1), "directory"
    yield "empty archive", archive([]), "'fastnet'"
    yield "more members than there are", archive(members(), count=6), "members"
    yield "as many members as can be", archive(members(), count=0xFFFF), "members"
    yield "fewer members than there are", archive(members(), count=3), "members"
    yield "directory beyond the file", archive(members(), length=0xFFFFFFFF), "directory"
    yield "directory of another place", archive(members(), first=7), "directory"
    wide = struct.pack("<4sIQI", b"PK\x06\x07", 0, 2**63, 1)
    yield "64 bits beyond the file", archive(members(), before=wide), "64 bits"
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("fastnet.npy", npy(np.zeros(20_000_000, "u1")))
    yield "zip bomb", compressed.getvalue(), "compressed"
    for one, what in (({"method": 8}, "compressed"), ({"flags": 1}, "encrypted"),
                      ({"packed": 5}, "compressed"), ({"crc": 5}, "checksum"),
                      ({"size": 2**31, "packed": 2**31}, "fewer"),
                      ({"size": 2**32, "packed": 2**32}, "fewer"),
                      ({"offset": 2**31}, "fewer"), ({"offset": 0}, "overlap"),
                      ({"offset": 5}, "expected"), ({"local": "weights_9.npy"}, "another name"),
                      ({"signature": b"PK\x01\x03"}, "directory"),
                      ({"extra": struct.pack("<HH", 1, 60000)}, None),
                      ({"extra": b"\x01"}, None)):  # fmt: skip
        yield f"member with {one}", archive([*rest, member("weights_0.npy", weights, **one)]), what
    huge = struct.pack("<HHQQ", 1, 16, 2**63, 2**63)
    wrong = member("weights_0.npy", weights, size=2**32, packed=2**32, extra=huge)
    yield "member of 2**63 bytes", archive([*rest, wrong]), "fewer"
    yield "arrays of the same name", archive([*members(), *members()[1:2]]), "twice"
    inside = [*rest, member("weights_0.npy", weights), member("more.npy", weights)]
    inside[-1]["offset"] = 3
    yield "member within another", archive(inside), "expected"
    for name in ("../../escaped.npy", "/etc/passwd.npy", "a" * 60_000 + ".npy", "\n.npy", ".npy"):
        yield f"member {name[:20]!r}", archive([*members(), member(name, weights)]), "expected"
        for fault in ({"method": 8}, {"size": 2**31, "packed": 2**31}, {"local": "x"}):
            wrong = archive([*members(), member(name, weights, **fault)])
            yield f"member {name[:20]!r} with {fault}", wrong, "expected"
        wrong = archive([*members(), member(name, npy(descr="|O"))])
        yield f"member {name[:20]!r} of objects", wrong, "expected"
    yield "name that is no text", archive([*members(), member(b"\xff\xfe.npy", weights)]), "UTF-8"
    yield "no array", archive([*members(), member("data.pkl", b"\x80\x04.")]), ".npy"
    yield "a torch file", archive([member("archive/data.pkl", b"\x80\x04.")]), "data.pkl"
    yield "a keras file", archive([member("metadata.json", b"{}")]), "metadata.json"
    yield from npy_files()


def npy_files():
    """Archives with a wrong array."""
    data = ARRAYS["weights_0"].tobytes()
    headers = {
        "huge shape": {"shape": "(1000000000000,)"},
        "shape beyond 64 bits": {"shape": f"({2**62}, {2**62})"},
        "shape of a thousand digits": {"shape": f"({'9' * 1000},)"},
        "shape of many digits": {"shape": f"({'9' * 5000},)"},
        "nothing of huge shape": {"shape": f"(0, {10**18})"},
        "negative shape": {"shape": "(-4, -3)"},
        "forty dimensions": {"shape": f"({'1, ' * 40})"},
        "many huge dimensions": {"shape": f"({f'{2**62}, ' * 400})"},
        "a third of the shape": {"shape": "(4,)"},
        "one number": {"shape": "()"},
        "shape without brackets": {"shape": "12"},
        "shape of shapes": {"shape": "((4, 3),)"},
        "strings of no length": {"descr": "|S0", "shape": "(1000000000000,)"},
        "strings of huge length": {"descr": "|S999999999"},
        "objects": {"descr": "|O"},
        "void": {"descr": "|V4"},
        "structure": {"header": "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}"},
        "times": {"descr": "<M8[s]"},
        "command as header": {"header": "__import__('builtins').__dict__.update(harmed=True)"},
        "command as dtype": {"descr": "' + exec('import this') + '"},
        "other keys": {"header": "{'descr': '<f4', 'shape': (4, 3)}"},
        "brackets without end": {"header": "(" * 9000},
        "signs without end": {"header": "-" * 9000},
        "no header": {"header": ""},
        "long header": {"header": " " * 60_000},
    }
    for name, options in headers.items():
        yield name, archive(members(weights_0=npy(data=data, **options))), "weights_0"
    for name, made in {
        "header beyond the file": b"\x93NUMPY\x01\x00\xff\xff" + data,
        "header beyond 32 bits": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + data,
        "unknown version": b"\x93NUMPY\x09\x00\x05\x00" + data,
        "no bytes": b"",
        "three bytes": b"\x93NU",
        "other bytes": data,
    }.items():
        yield name, archive(members(weights_0=made)), "weights_0"
    yield from array_files(with_array)
    pickled = np.array([Harmful()], object)
    yield "pickled objects", with_array(weights_0=pickled), "weights_0"
    yield "pickled description", with_array(fastnet=np.array(Harmful(), object)), "fastnet"
    yield "description of numbers", with_array(fastnet=np.arange(3)), "fastnet"
    yield "two descriptions", with_array(fastnet=np.array([b"{}", b"{}"])), "fastnet"
    yield "description in UTF-32", with_array(fastnet=np.array("{}")), "fastnet"
    yield "no description", archive(members(fastnet=None)), "'fastnet'"
    yield "arrays of the user's data", archive([member("X.npy", npy(np.eye(3)))]), "'X'"
    for name, text, word in texts():
        yield name, with_text(text), word
    for name, (changed, word) in WRONG_FIELDS.items():
        yield name, archive(members({**FIELDS, **changed})), word


def array_files(make):
    """Files with an array that is wrong in another way, by a function of the format."""
    good = ARRAYS["weights_0"]
    for number in (np.nan, np.inf, -np.inf):
        wrong = good.copy()
        wrong[2, 1] = number
        yield f"a weight of {number}", make(weights_0=wrong), "weights_0"
    wrong = ARRAYS["biases_1"] * np.float32(np.nan)
    yield "biases of NaN", make(biases_1=wrong), "biases_1"
    for dtype in ("f8", "f2", "i4", "u1", "?"):
        yield f"weights of {dtype}", make(weights_0=good.astype(dtype)), "weights_0"
    yield "transposed weights", make(weights_0=np.ascontiguousarray(good.T)), "weights_0"
    yield "flat biases", make(biases_0=ARRAYS["biases_0"].ravel()), "biases_0"
    yield "one array more", make(weights_2=good), "weights_2"


def texts():
    """Descriptions that are wrong: (name, bytes, word)"""
    nested = text_of(FIELDS).replace(b"null", DEEP.encode())
    yield "deep description", nested, "without end"
    yield "deep objects", b'{"a":' * 100_000, "without end"
    yield "number of many digits", text_of(FIELDS).replace(b"null", LONG_NUMBER.encode()), "JSON"
    yield "scale of NaN", text_of(FIELDS).replace(b"null", b"NaN"), "input_scale"
    yield "scale beyond the type", text_of(FIELDS).replace(b"null", b"1e999"), "input_scale"
    yield "key twice", text_of(FIELDS)[:-1] + b', "sizes": [3, 4, 2]}', "twice"
    yield "description cut off", text_of(FIELDS)[:-5], "JSON"
    yield "list as description", b"[1, 2]", "object"
    yield "empty object", b"{}", "description"
    yield "bytes as description", b"\xff\xfe\xfd", "expected"
    yield "no text", b"", "expected"
    for key in ("kind", "format_version", "sizes", "cost"):
        fields = {k: v for k, v in FIELDS.items() if k != key}
        yield f"no {key}", text_of(fields), "expected"


# ---- .safetensors

_KINDS = {"float32": "F32", "float64": "F64", "float16": "F16", "int32": "I32", "uint8": "U8",
          "bool": "BOOL"}  # fmt: skip


def tensors(fields=None, text=None, header=None, data=None, length=None, **changed):
    """The bytes of a file; ``changed`` are arrays, None for none."""
    arrays = {name: a for name, a in {**ARRAYS, **changed}.items() if a is not None}
    made, place = {}, 0
    text = json.dumps(FIELDS if fields is None else fields) if text is None else text
    made["__metadata__"] = {"fastnet": text}
    for name, array in arrays.items():
        made[name] = {"dtype": _KINDS[array.dtype.name], "shape": [*array.shape],
                      "data_offsets": [place, place + array.nbytes]}  # fmt: skip
        place += array.nbytes
    made = header(made) if callable(header) else made if header is None else header
    encoded = made if isinstance(made, bytes) else json.dumps(made).encode()
    data = b"".join(a.tobytes() for a in arrays.values()) if data is None else data
    length = len(encoded) if length is None else length
    return struct.pack("<Q", length) + encoded + data


def replaced(name, **entry):
    """A header with another entry of an array."""
    return lambda made: {**made, name: {**made[name], **entry}}


def safetensors_files():
    yield "good", tensors(), None
    yield "bytes after the end", tensors() + bytes(100), "expected"
    for length in (0, 1, 7, 2**16, 10**8 + 1, 2**31, 2**32, 2**63, 2**64 - 1):
        yield f"length {length}", tensors(length=length), "expected"
    yield "only a length", struct.pack("<Q", 2**40) + b"{", "header"
    headers = {
        "list": b"[1, 2]", "deep": DEEP.encode(), "deep objects": b'{"a":' * 100_000,
        "not UTF-8": b'{"\xff": 1}', "cut off": b'{"a": ', "empty object": b"{}",
        "number of many digits": b'{"a": ' + LONG_NUMBER.encode() + b"}",
        "metadata of numbers": lambda made: {**made, "__metadata__": {"fastnet": 5}},
        "metadata as a list": lambda made: {**made, "__metadata__": ["fastnet"]},
        "no metadata": lambda made: {k: v for k, v in made.items() if k != "__metadata__"},
        "no description": lambda made: {**made, "__metadata__": {"format": "pt"}},
        "entry as a number": lambda made: {**made, "weights_0": 5},
        "entry without shape": lambda made: {**made, "weights_0": {"dtype": "F32"}},
        "name twice": lambda made: json.dumps(made)[:-1].encode() + (
            b', "weights_0": ' + json.dumps(made["weights_0"]).encode() + b"}"
        ),
    }  # fmt: skip
    for name, header in headers.items():
        yield f"header: {name}", tensors(header=header), "expected"
    entries = [
        *({"dtype": d} for d in ("F16", "BF16", "I64", "object", "", 5, None, [], "F64")),
        *({"shape": s} for s in ([4], [3, 4], [-4, -3], [2**62, 2**62], [4.0, 3], "43", None,
                                 [10**12], [True, 12], [0, 10**18], [1] * 50, {"4": 3})),
        *({"data_offsets": o} for o in ([0, 10**12], [0, 2**64], [48, 0], [0, 47], [1, 49],
                                        [8, 56], [-48, 0], [0], [0, 1, 2], "ab", None, [0.0, 48])),
    ]  # fmt: skip
    for entry in entries:
        yield f"entry {entry}", tensors(header=replaced("weights_0", **entry)), "expected"
    same = replaced("biases_0", data_offsets=[0, 16])
    yield "overlapping arrays", tensors(header=same), "expected"
    yield "less data", tensors(data=bytes(10)), "expected"
    yield "more data", tensors(data=bytes(1000)), "expected"
    yield "no weights", tensors(weights_0=None), "weights_0"
    yield from array_files(tensors)
    for name, text, word in texts():
        if name != "bytes as description":
            yield name, tensors(text=text.decode()), word
    for name, (changed, word) in WRONG_FIELDS.items():
        yield name, tensors({**FIELDS, **changed}), word


# ---- JSON


def lists(**changed):
    """The object of a network's file in JSON."""
    arrays = {name: [ARRAYS[f"{name}_{l}"].tolist() for l in (0, 1)] for name in
              ("weights", "biases")}  # fmt: skip
    return {**FIELDS, **arrays, **changed}


def json_files():
    good = text_of(lists())
    yield "good", good, None
    yield "bytes after the end", good + bytes(100), "JSON"
    yield "two objects", good + good, "JSON"
    yield "zeros", bytes(10_000), "JSON"
    yield "a kept array", text_of(lists(weights=[[1e308] * 10] * 10)), "weights"
    rows = text_of(lists(weights=[[["x"] * 3] * 4, []]))
    yield "weights of texts", rows.replace(b"[]", b"[[1, 2, 3, 4], [5, 6, 7, 8]]"), "weights[0]"
    for number in ("NaN", "Infinity", "1e999", "true", "null", '"1"', "[1]", "9" * 400):
        wrong = good.replace(b"[[0.0, ", f"[[{number}, ".encode(), 1)
        yield f"a weight of {number[:9]}", wrong, "weights[0]"
    yield "a weight beyond float32", good.replace(b"[[0.0, ", b"[[1e300, ", 1), "float32"
    for name, text, word in texts():
        if not name.startswith(("no kind", "no format", "empty object")):
            yield name, text, "expected" if word == "description" else word
    yield "many objects", b"[" + b"{}," * 100_000 + b"{}]", "object"
    yield "many empty rows", text_of(lists(weights=[[[]] * 100_000, []])), "weights[0]"
    for name, (changed, word) in WRONG_FIELDS.items():
        yield name, text_of(lists(**changed)), word


# ---- other formats under these names


def other_files():
    array = io.BytesIO()
    np.save(array, np.eye(3))
    yield "an array", array.getvalue(), "(.npy)"
    yield "a pickle", pickle.dumps(Harmful()), "pickle"
    yield "HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"
    yield "gzip", b"\x1f\x8b\x08" + bytes(100), "gzip"
    yield "bzip2", b"BZh9" + bytes(100), "bzip2"
    yield "xz", b"\xfd7zXZ\x00" + bytes(100), "xz"
    yield "zstd", b"\x28\xb5\x2f\xfd" + bytes(100), "zstd"
    yield "ONNX", b"\x08\x08\x12\x07fastnet:" + bytes(100), "from_onnx"
    yield "nothing", b"", "expected"
    yield "one byte", b"{", "expected"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "expected"
    yield "text", b"sizes = [3, 4, 2]\n", "expected"
    yield "YAML", b"sizes: [3, 4, 2]\n", "expected"
    yield "CSV", b"a,b,c\n1,2,3\n", "expected"


# ---- ONNX, which Network.from_onnx reads


def onnx_model(**changed):
    """A model of Gemm, Sigmoid, Gemm, Sigmoid; ``changed`` are initializers, None for none."""
    from onnx import TensorProto, helper, numpy_helper

    arrays = {**ARRAYS, **changed}
    nodes, before = [], "x"
    for l in (0, 1):
        inputs = [before, f"weights_{l}", f"biases_{l}"]
        nodes.append(helper.make_node("Gemm", inputs, [f"z_{l}"], transB=1))
        nodes.append(helper.make_node("Sigmoid", [f"z_{l}"], [f"a_{l}"]))
        before = f"a_{l}"
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", n]) for name, n in
            (("x", 3), ("a_1", 2))]  # fmt: skip
    tensors = [
        a if isinstance(a, TensorProto)
        else numpy_helper.from_array(a.ravel() if n.startswith("b") else a, n)
        for n, a in arrays.items() if a is not None
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "net", rows[:1], rows[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def onnx_files():
    from onnx import TensorProto

    good = onnx_model().SerializeToString()
    yield "good", good, None
    for length in (1, 10, 50, len(good) // 2, len(good) - 1):
        yield f"{length} bytes of it", good[:length], "expected"
    yield "bytes after the end", good + b"\xff" * 100, "expected"
    yield "a length beyond the file", b"\x3a\xff\xff\xff\xff\x0f" + good, "expected"
    yield "groups within groups", b"\x0b" * 100_000, "expected"
    yield "no model", b"\x08\x08\x12\x07fastnet", "expected"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "expected"
    yield "JSON", text_of(FIELDS), "expected"
    tensor = TensorProto(name="weights_0", data_type=TensorProto.FLOAT, dims=[10**6, 10**6])
    yield "huge shape", onnx_model(weights_0=tensor).SerializeToString(), "weights_0"
    tensor = TensorProto(name="weights_0", data_type=TensorProto.FLOAT, dims=[2**62, 2**62])
    yield "shape beyond 64 bits", onnx_model(weights_0=tensor).SerializeToString(), "weights_0"
    tensor = TensorProto(name="weights_0", data_type=TensorProto.FLOAT, dims=[-4, -3])
    yield "negative shape", onnx_model(weights_0=tensor).SerializeToString(), "weights_0"
    tensor = TensorProto(name="weights_0", data_type=99, dims=[4, 3], raw_data=bytes(48))
    yield "unknown type", onnx_model(weights_0=tensor).SerializeToString(), "weights_0"
    tensor = TensorProto(name="weights_0", data_type=TensorProto.FLOAT, dims=[4, 3])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    yield "data in another file", onnx_model(weights_0=tensor).SerializeToString(), "external"
    for number in (np.nan, np.inf):
        wrong = np.full((4, 3), number, np.float32)
        yield f"weights of {number}", onnx_model(weights_0=wrong).SerializeToString(), "finite"
    yield "no weights", onnx_model(weights_0=None).SerializeToString(), "weights_0"
    wrong = ARRAYS["weights_0"].T
    yield "transposed weights", onnx_model(weights_0=wrong).SerializeToString(), "expected"
    wrong = good.replace(b"Sigmoid", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9")
    yield "operators that are no text", wrong, "expected"
    changes = {
        "a node of Python": lambda m: setattr(m.graph.node[1], "op_type", "os.system"),
        "another domain": lambda m: setattr(m.graph.node[1], "domain", "com.microsoft"),
        "a loop": lambda m: m.graph.node[0].input.__setitem__(0, "a_1"),
        "an old opset": lambda m: setattr(m.opset_import[0], "version", 1),
        "no output": lambda m: m.graph.output.pop(),
        "another output": lambda m: setattr(m.graph.output[0], "name", "other"),
        "two definitions": lambda m: m.graph.node.append(m.graph.node[0]),
        "no input": lambda m: m.graph.input.pop(),
    }
    for name, change in changes.items():
        model = onnx_model()
        change(model)
        yield name, model.SerializeToString(), "expected"


def onnx_is_read():
    """Whether this fastnet reads ONNX, and the package is installed."""
    import fastnet

    has_onnx = importlib.util.find_spec("onnx") is not None
    return has_onnx and hasattr(fastnet.Network, "from_onnx")


MAKERS = {".npz": npz_files, ".safetensors": safetensors_files, ".json": json_files,
          "": other_files, **({".onnx": onnx_files} if onnx_is_read() else {})}  # fmt: skip
FILES = [
    (suffix, name, content, word)
    for suffix, make in MAKERS.items()
    for name, content, word in make()
]
