"""The yardstick of the benchmarks: multiply-adds that are counted."""

import pytest

from fastnet import reference
from fastnet.core import _kernels


def test_the_operations_grow_with_the_rounds(isa, dtype):
    of_one = _kernels.fma_rounds(dtype, 1)
    assert of_one > 0
    assert [_kernels.fma_rounds(dtype, n) for n in (0, 2, 1000)] == [0, 2 * of_one, 1000 * of_one]


def test_a_vector_holds_twice_as_many_float32_as_float64(isa):
    assert _kernels.fma_rounds("float32", 10) == 2 * _kernels.fma_rounds("float64", 10)


def test_the_reference_counts_two_operations_for_each_of_its_sums(dtype):
    assert reference.fma_rounds(dtype, 3) == 3 * 2 * 128


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="dtype: expected one of float32, float64"):
        _kernels.fma_rounds("int64", 1)
