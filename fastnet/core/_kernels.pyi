"""Types of the compiled module. Functions that are also in ``fastnet.reference`` have its types."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypedDict, Unpack

from numpy.typing import DTypeLike, NDArray

from fastnet.reference import *  # noqa: F403

ParameterArray: TypeAlias = NDArray | Storage

TARGETS: tuple[str, ...]

def available() -> list[str]: ...
def isa() -> str: ...
def select(name: str) -> None: ...
def compiler() -> str: ...
def poll_every(callbacks: float = 0.1, polls: float = 0.02) -> None: ...
def aligned(length: int, dtype: DTypeLike) -> NDArray: ...
def trace_with(function: Callable[[dict[str, Any]], None]) -> None: ...

class PlanOptions(TypedDict, total=False):
    call: str
    isa: str | None
    halves_avx512: bool | None
    hidden: Sequence[str] | None
    cost: str | None
    form: str
    density: float
    input_bytes: int | None
    optimizer: str
    l2: float
    l1: float
    dropout: Sequence[float] | None
    by_blocks: bool | None
    sharing: int
    threads: int

def plan(
    sizes: Sequence[int],
    dtype: DTypeLike,
    m: int,
    n: int | None = None,
    **options: Unpack[PlanOptions],
) -> dict[str, Any]: ...
def choose_input_format(
    sizes: Sequence[int],
    dtype: DTypeLike,
    density: float,
    isa: str | None = None,
    halves_avx512: bool | None = None,
) -> str: ...
def choose_threads(sizes: Sequence[int], m: int, density: float, most: int) -> int: ...

class CompressedArrays:
    values: Any  # buffers to read, of which np.asarray makes arrays
    offsets: Any
    columns: Any
    masks: Any
    first: int
    n: int
    n_in: int
    longest: int
    def __init__(
        self,
        values: NDArray,
        offsets: NDArray,
        columns: NDArray | None,
        masks: NDArray | None,
        n_in: int,
    ): ...
    def first_invalid_row(self) -> int | None: ...
    def part(self, first: int, end: int) -> CompressedArrays: ...

class Storage:
    n: int
    def __new__(cls, n: int, dtype: str, source: ParameterArray | None = None) -> Storage: ...
    def __buffer__(self, flags: int) -> memoryview: ...

class ParameterStorage:
    storage: Storage
    lists: dict[str, Any]
    input_scale: float | None
    def __new__(cls, sizes: Sequence[int], dtype: str) -> Any: ...
    @property
    def values(self) -> NDArray: ...
    @property
    def is_training(self) -> bool: ...
    def check_not_training(self) -> None: ...
    def new_storage(self) -> Storage: ...
    def register_list(self, storage: Storage, name: str, made: Any) -> Any: ...
    def replace(
        self,
        new: Storage,
        updated: dict[str, list[NDArray]] | None,
        kept: Iterable[tuple[int, int]] = (),
    ) -> None: ...
    def restore(self, values: ParameterArray, trainer: object = None) -> None: ...
    def begin_training(self, trainer: object) -> Storage: ...
    def end_training(self, trainer: object) -> None: ...
