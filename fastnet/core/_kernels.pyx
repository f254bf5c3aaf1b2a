# cython: language_level=3, binding=True, embedsignature=False, boundscheck=False
"""The interface from Python to the C kernels; no other module handles pointers.

Every function and method checks its arrays (dtype, shape, layout, writability), releases
the GIL and makes one call. fastnet/reference/ has the same classes and functions, with the
same signatures, in plain NumPy; its docstrings say what each computes. The declarations of C
are generated from csrc/fastnet.h (tools/declare_c.py).

Parameters of a network are one flat array (see ``layout``). Rows of padded
arrays fill whole cache lines; ``padded`` makes such arrays.
"""

import os
from operator import index
from sys import modules

import numpy as np

cimport cython
from c_api cimport *
from cpython.buffer cimport (PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_FillInfo,
                             PyBuffer_Release, PyObject_GetBuffer)
from cpython.list cimport PyList_SetSlice
from cython cimport final
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #if defined(__clang__)
    #define FN_COMPILER "clang " __clang_version__
    #else
    #define FN_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *FN_COMPILER
    int __builtin_popcountll(unsigned long long) nogil


# ---- the instruction set ---------------------------------------------------

def available():
    """Names of this machine's instruction sets, the fastest last."""
    names = []
    while fn_isa_name(len(names)) != NULL:
        names.append(fn_isa_name(len(names)).decode())
    return names


def isa():
    """Name of the instruction set in use."""
    return fn_selected().decode()


def select(name):
    """Use the kernels of the instruction set ``name`` from now on."""
    if fn_select(name.encode()):
        raise ValueError(f"name: expected one of {', '.join(available())}; got {name!r}")


def compiler():
    """Name and version of the C compiler that built the kernels."""
    return FN_COMPILER.decode().strip()


def _select_at_import():
    wanted = os.environ.get("FASTNET_ISA")
    try:
        select(wanted or available()[-1])
    except ValueError as error:
        raise ImportError(f"FASTNET_ISA: {str(error).removeprefix('name: ')}") from None


_select_at_import()


include "_arrays.pxi"
include "_poll.pxi"
include "_compressed.pxi"
include "_arguments.pxi"
include "_plan.pxi"
include "_parameters.pxi"
include "_network.pxi"
include "_training.pxi"


# ---- compressed rows, and the layout of the parameters -------------------------------

def compress(X, offsets, values, columns, masks):
    """Write the non-zero values of the dense X, and their columns or masks (None: not wanted).

    ``values`` has X's type, or float32 for an X of float64. The values of row s are written from
    ``values[offsets[s]]`` on, and ``offsets[1:]`` is filled; elements after the last value and
    column may be overwritten. Returns False if ``values`` or ``columns`` is too short.
    """
    cdef size_t done, n_in = X.shape[1]
    cdef Examples e = Examples(X, 1.0)
    cdef tuple kinds = ("float64", "float32") if e.X.dtype == "float64" else (e.X.dtype,)
    cdef Array o = vector("offsets", offsets, ("int64",), True)
    cdef Array v = vector("values", values, kinds, True)
    cdef Array c, m
    cdef fn_compressed to
    to.offsets, to.values, to.capacity = <int64_t *>o.data(), v.data(), v.length(0)
    to.columns, to.columns_type, to.masks = NULL, FN_U16, NULL
    o.expect("offsets", (e.examples.n + 1,))
    to.offsets = <int64_t *>o.data()
    if columns is not None:
        c = vector("columns", columns, ("uint16", "uint32"), True)
        to.columns, to.columns_type = c.data(), c.type()
        to.capacity = min(to.capacity, c.length(0))
    if masks is not None:
        m = Array("masks", masks, 2, ("uint64",), writable=True)
        m.expect("masks", (e.examples.n, fn_words(n_in)))
        to.masks = <uint64_t *>m.data()
    cdef fn_type type = FN_F64 if v.type() == FN_F64 else FN_F32
    if not 0 <= to.offsets[0] <= <int64_t>to.capacity:
        raise ValueError(f"offsets: expected the first from 0 to {to.capacity}, got {to.offsets[0]}")
    with nogil:
        done = fn_compress(type, &e.examples, n_in, &to)
    return done == e.examples.n


STEP_EXAMPLES = FN_PIECE  # training and the gradient compute at most this many examples at once
BYTES_AFTER_VALUES = FN_BYTES_AFTER_VALUES  # with masks, these must be readable after the last one
EVALUATED = FN_EVALUATED  # feedforward and evaluate compute at most this many examples at once


def layout(sizes, dtype):
    """(length, [(weights, biases, stride), ...]): the layout of the flat array of parameters.

    All are numbers of elements: the weights of a layer start at ``weights``, one row of
    ``stride`` elements for each input, its biases at ``biases``.
    """
    cdef size_t l
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    itemsize = real(dtype).itemsize
    cdef Workspace places = Workspace(shape.network.layers * sizeof(fn_place))
    cdef fn_place *at = <fn_place *>places.start()
    length = fn_layout(&shape.network, itemsize, at)
    return length, [(at[l].weights, at[l].biases, at[l].stride) for l in range(shape.network.layers)]


include "_single_kernels.pxi"
