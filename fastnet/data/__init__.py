"""How data come in: data sets, sparse rows, memory maps, IDX files."""

from fastnet.data.dataset import Dataset

__all__ = ["Dataset"]
