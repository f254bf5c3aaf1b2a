"""What the tests of exported C share: compilers, and a compiled network as a function."""

import ctypes
import itertools
import shutil
import subprocess

import numpy as np
import pytest

from fastnet.core import _kernels

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
# Those of the processor that the tests run on.
FMA = ("-mfma",) if "avx2" in _kernels.available() else ()
EXACT = ("-std=c99", "-O2", "-ffp-contract=fast", *FMA)

_numbers = itertools.count()

needs_cc = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler (cc)")
# The kernels and the compiled file both fuse.
HAS_FMA = "baseline" not in _kernels.available() or bool(FMA)


def run(*command):
    """What a command prints; it must succeed without a word on standard error."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def compiled(source, *options, compiler="cc"):
    """The library made from a file. Each has a name of its own, since a library is not loaded
    again under the same name. It is linked without the options: with -ffast-math compilers add
    start-up code after which subnormal numbers are zero in the whole process."""
    library = source.with_suffix(f".{next(_numbers)}.so")
    compiled_only = library.with_suffix(".o")
    run(compiler, *options, *WARNINGS, "-fPIC", "-c", source, "-o", compiled_only)
    run(compiler, "-shared", compiled_only, "-o", library)
    return ctypes.CDLL(str(library))


def outputs(library, X, n_out, name="net"):
    """The outputs (n, n_out) for rows X (n, n_in), in whose type the function computes. The memory
    around the outputs stays as it was."""
    function = getattr(library, name)
    function.argtypes, function.restype = [ctypes.c_void_p] * 2, None
    made = np.full((len(X), n_out + 2), 7, X.dtype)
    for x, row in zip(np.ascontiguousarray(X), made, strict=True):
        function(x.ctypes.data, row[1:].ctypes.data)
    assert (made[:, [0, -1]] == 7).all()
    return made[:, 1:-1]


def jacobians(library, X, n_out, name="net"):
    """Outputs (n, n_out) and derivatives (n, n_out, n_in)."""
    function = getattr(library, f"{name}_jacobian")
    function.argtypes, function.restype = [ctypes.c_void_p] * 3, None
    n, n_in = X.shape
    a, j = np.empty((n, n_out), X.dtype), np.full((n, n_out * n_in + 1), 7, X.dtype)
    for x, row, all_of in zip(np.ascontiguousarray(X), a, j, strict=True):
        function(x.ctypes.data, row.ctypes.data, all_of.ctypes.data)
    assert (j[:, -1] == 7).all()
    return a, j[:, :-1].reshape(n, n_out, n_in)


def self_test(source, *options, compiler="cc", name="NET"):
    """The exit status of the file's test, and the numbers that it prints: outputs with the expected
    bits, all outputs, outputs beyond the bound."""
    program = source.with_suffix(".test")
    run(compiler, *options, *WARNINGS, f"-D{name}_SELF_TEST", source, "-o", program)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return done.returncode, int(words[1]), int(words[3]), int(words[9])
