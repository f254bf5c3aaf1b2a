"""Input data: data sets, their checks, sparse rows, weights of examples, IDX files."""

from fastnet.data.dataset import Dataset

__all__ = ["Dataset"]
