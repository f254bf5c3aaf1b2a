"""Mutates files of networks and of checkpoints, and reads them: each gives a network, or one error
that names the file.

    python -P tools/fuzz_files.py --seed 1 --seconds 600

Valid files of all formats, among them those of tests/data/files/ and tests/data/checkpoints/ and,
if fastnet reads them, models of ONNX, are changed at random: bits, bytes, numbers and whole pieces;
.npz members, values of their arrays and descriptions, and .safetensors headers also with the
checksums and the length renewed, so that what lies behind these checks is reached. Accepted are

- a ValueError or an OSError whose message begins with the path, for checkpoints also one of an
  argument that names the file;
- the DivergenceError of a training that goes on from changed parameters;
- a network with finite parameters that computes, and that is equal to itself after it is saved and
  loaded again; for changed bytes of .npz, whose checksums cover everything, the network of the
  original file.

Everything else ends the run, and the file stays in the folder. The memory of the process is limited
to --megabytes more than it has at the beginning.
"""

import argparse
import importlib.util
import io
import json
import random
import runpy
import struct
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastnet
from fastnet.io import zip_members

DATA = Path(__file__).parents[1] / "tests" / "data"
KEPT = DATA / "files"
CHECKPOINTS = runpy.run_path(str(DATA / "make_checkpoints.py"))
EPOCHS = CHECKPOINTS["EPOCHS"] + 2  # of a training that is resumed
NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53,
           2**62, 2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip
TEXTS = (b"null", b"true", b"NaN", b"-1", b"1e999", b"[]", b"{}", b'""', b'"os.system"', b"0.5",
         b'"\\ud800"', b"9" * 400, b"[[[[", b'"table"', b'"standardize"', b'"softmax"', b"\xff",
         b"<f8", b"|O", b"(3,", b'"F64"', b"weights_1")  # fmt: skip


class Source(NamedTuple):
    """A valid file, and the network that ``read(path)`` makes of it; ``kind`` is the suffix or
    "checkpoint"."""

    name: str
    content: bytes
    net: fastnet.Network
    read: Callable
    kind: str


def sources(folder):
    """Valid files of all formats and sizes."""
    files = [file for file in KEPT.iterdir() if file.suffix in (".json", ".npz", ".safetensors")]
    nets = {
        "small": fastnet.Network([2, 1], seed=1),
        "wide": fastnet.Network([40, 1, 30], "log-likelihood", dtype="float64", seed=1),
        "deep": fastnet.Network([2] * 8, hidden="relu", classes=[1, 2], seed=1),
    }
    for name, net in nets.items():
        for suffix in (".json", ".npz", ".safetensors"):
            net.save(folder / f"{name}{suffix}")
            files.append(folder / f"{name}{suffix}")
        if hasattr(net, "to_onnx") and importlib.util.find_spec("onnx"):
            net.to_onnx(folder / f"{name}.onnx")
            files.append(folder / f"{name}.onnx")
    found = [source(f, from_onnx if f.suffix == ".onnx" else load, f.suffix) for f in sorted(files)]
    return found + checkpoints(folder)


def source(file, read, kind, path=None):
    """The source of a file; what ``read`` changes is ``path``, a copy."""
    return Source(file.name, file.read_bytes(), read(path or file), read, kind)


def load(path):
    return fastnet.load(path)


def from_onnx(path):
    return fastnet.Network.from_onnx(path)


def checkpoints(folder):
    """The sources of the kept checkpoints. Reading one resumes its training, which writes it."""
    found = []
    for name, read in (("1_sgd.npz", resumed_sgd), ("1_fit.npz", resumed_fit)):
        if read is resumed_fit and not importlib.util.find_spec("sklearn"):
            continue
        kept, copy = DATA / "checkpoints" / name, folder / name
        copy.write_bytes(kept.read_bytes())
        found.append(source(kept, read, "checkpoint", copy))
    return found


def resumed_sgd(path):
    return CHECKPOINTS["sgd"](path, EPOCHS)[0]


def resumed_fit(path):
    return CHECKPOINTS["fit"](path, EPOCHS).network_


# ---- changes of bytes: functions of (random, bytes) -> bytes


def flip_bit(draw, content):
    made = bytearray(content)
    made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def set_byte(draw, content):
    made = bytearray(content)
    made[draw.randrange(len(made))] = draw.choice((0, 1, 0x20, 0x22, 0x7F, 0x80, 0xFF))
    return bytes(made)


def set_number(draw, content):
    """A binary number that is often a limit, in 2, 4 or 8 bytes."""
    size = draw.choice((2, 4, 8))
    place = draw.randrange(len(content))
    number = draw.choice(NUMBERS) % (1 << 8 * size)
    order = draw.choice(("little", "big"))
    return content[:place] + number.to_bytes(size, order) + content[place + size :]


def piece(draw, content):
    """(start, end) of a piece, mostly a short one."""
    start = draw.randrange(len(content))
    return start, min(len(content), start + int(2 ** draw.uniform(0, 12)))


def remove(draw, content):
    start, end = piece(draw, content)
    return content[:start] + content[end:]


def repeat(draw, content):
    start, end = piece(draw, content)
    return content[:end] + content[start:end] * draw.choice((1, 1, 2, 50)) + content[end:]


def move(draw, content):
    start, end = piece(draw, content)
    place = draw.randrange(len(content))
    return content[:place] + content[start:end] + content[place:]


def cut_off(draw, content):
    return content[: draw.randrange(len(content))]


def append(draw, content):
    return content + draw.randbytes(draw.choice((1, 8, 22, 1000)))


def set_text(draw, content):
    """A text in place of one that looks like a number or a word."""
    places = [i for i, byte in enumerate(content[:4000]) if byte in b"0123456789\":[]{},'"]
    start = draw.choice(places) if places else 0
    return content[:start] + draw.choice(TEXTS) + content[start + draw.choice((0, 1, 3, 10)) :]


CHANGES = (flip_bit, set_byte, set_number, remove, repeat, move, cut_off, append, set_text)


# ---- changes behind checksums


def in_member(draw, content):
    """An archive with one member changed, whose checksum is right."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    name = draw.choice([*members])
    members[name] = changed(draw, members[name])
    if draw.random() < 0.1:
        members[draw.choice([*members])] = draw.choice([*members.values()])
    if draw.random() < 0.05:
        del members[draw.choice([*members])]
    return b"".join(zip_members.archive((name, [data]) for name, data in members.items()))


def in_arrays(draw, content):
    """An archive with another value in its description, or another array."""
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    text = arrays.pop("fastnet").item()
    if draw.random() < 0.6:
        text = in_fields(draw, text)
    else:
        name = draw.choice([*arrays])
        arrays[name] = other_array(draw, arrays[name])
    made = io.BytesIO()
    np.savez(made, fastnet=np.array(text), **arrays)
    return made.getvalue()


def other_array(draw, array):
    """The array with another number, type or shape."""
    if draw.random() < 0.3:
        return draw.choice((array[:-1], array.T, array.ravel(), array[None], array.astype("i1")))
    made = array.copy()
    if made.size:
        number = np.array(draw.choice((*NUMBERS, 0.5, 1e30, np.nan, np.inf)), np.float64)
        with np.errstate(all="ignore"):
            made.reshape(-1)[draw.randrange(made.size)] = number.astype(made.dtype)
    return made


def in_npz(draw, content):
    return draw.choice((in_member, in_arrays))(draw, content)


def in_header(draw, content):
    """A file of safetensors with a changed header, whose length is right."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = changed(draw, content[8:end])
    return struct.pack("<Q", len(header)) + header + content[end:]


def in_fields(draw, content):
    """JSON with another value somewhere."""
    fields = json.loads(content)
    place = fields
    while True:
        key = draw.choice([*place] if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.3:
            break
        place = inner
    texts = [text for text in TEXTS if is_json(text)]
    place[key] = draw.choice([*NUMBERS, *map(json.loads, texts), [inner], {"name": inner}])
    return json.dumps(fields).encode()


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


BEHIND = {".npz": in_npz, ".safetensors": in_header, ".json": in_fields}


def changed(draw, content):
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        content = draw.choice(CHANGES)(draw, content or b"\0")
    return content


def mutant(draw, files):
    """A changed file, the one that it was made of, and whether its checksums were renewed."""
    source = draw.choice(files)
    if draw.random() < 0.5:
        return BEHIND.get(Path(source.name).suffix, changed)(draw, source.content), source, True
    if draw.random() < 0.05:
        other = draw.choice(files).content
        return source.content[: draw.randrange(len(source.content))] + other, source, True
    return changed(draw, source.content), source, False


# ---- what is accepted


def outcome(path, source, renewed):
    """ "refused", "equal" or "other" network; an AssertionError or another error for a fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of trainings that go on with strange numbers
            net = source.read(path)
    except fastnet.DivergenceError:
        assert source.kind == "checkpoint", "a training"
        assert renewed, "checksums that are wrong"
        return "other"
    except (OSError, ValueError) as error:
        check_error(path, error, source.kind)
        return "refused"
    if net == source.net and net.features == source.net.features:
        return "equal"
    assert renewed or not source.name.endswith(".npz"), "checksums that are wrong"
    assert all(np.isfinite(a).all() for a in [*net.weights, *net.biases])
    net.feedforward(np.zeros((2, net.sizes[0])))
    again = path.with_name("again.npz")
    net.save(again)
    assert fastnet.load(again) == net
    return "other"


def check_error(path, error, kind):
    """Raise an AssertionError unless it is one line that names the file."""
    if isinstance(error, OSError):
        assert error.filename == str(path), f"an OSError of another file: {error}"
        return
    message, begins, most = str(error), (f"{path}: ",), 2000
    if kind == "checkpoint":
        begins, most = (*begins, "checkpoint: ", "epochs: ", "max_iter: "), 6000
        assert str(path) in message, f"a message without the path: {message}"
    assert message.startswith(begins), f"a message without the path: {message}"
    assert "\n" not in message, f"a message of several lines: {message}"
    assert len(message) < most + len(str(path)), f"a long message: {message}"


def limit_memory(megabytes):
    """Let allocations beyond the present memory and some more fail, where the system can."""
    memory = Path("/proc/self/statm")
    if not memory.exists():
        return
    import resource

    pages = int(memory.read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def run(folder, seed, count=None, seconds=None, report=None):
    """Load ``count`` changed files, or as many as ``seconds`` allow.

    Returns
    -------
    dict of int
        The number of files for each format and outcome.
    """
    draw, files = random.Random(seed), sources(folder)
    path, found = folder / "net.npz", {}  # only checkpoints need the suffix
    end = None if seconds is None else time.monotonic() + seconds
    done = 0
    while (count is None or done < count) and (end is None or time.monotonic() < end):
        content, source, renewed = mutant(draw, files)
        path.write_bytes(content)
        key = f"{source.kind} {outcome(path, source, renewed)}"
        found[key] = found.get(key, 0) + 1
        done += 1
        if report is not None and done % 20_000 == 0:
            report(f"{done} files: {found}")
    return dict(sorted(found.items()))


def main():
    parser = argparse.ArgumentParser(description="Load changed files of networks and checkpoints.")
    add = parser.add_argument
    add("--seed", type=int, default=1, help="(default: 1)")
    add("--seconds", type=float, help="how long (default: as --count says)")
    add("--count", type=int, default=None, help="number of files (default: no limit)")
    add("--megabytes", type=int, default=300, help="of memory (default: 300)")
    add("--folder", help="for the files, such as one in memory (default: the temporary one)")
    args = parser.parse_args()
    if args.seconds is None and args.count is None:
        args.count = 10_000
    folder = Path(tempfile.mkdtemp(prefix="fuzz_files_", dir=args.folder))
    print(f"seed {args.seed}, {folder}/net.npz is the file that is loaded", flush=True)
    sources(folder)  # imports everything
    limit_memory(args.megabytes)
    found = run(folder, args.seed, args.count, args.seconds, lambda line: print(line, flush=True))
    print(f"{sum(found.values())} files, no fault:")
    print(*(f"  {key}: {n}" for key, n in found.items()), sep="\n")


if __name__ == "__main__":
    main()
