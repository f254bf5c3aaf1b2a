"""The types of the compiled module."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypedDict, Unpack

from numpy.typing import DTypeLike, NDArray

ParameterArray: TypeAlias = NDArray | Storage

TARGETS: tuple[str, ...]
STEP_EXAMPLES: int
BYTES_AFTER_VALUES: int

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
    hidden: Sequence[Kernel] | None
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

# ---- shared with fastnet.reference: written by tools/declare_kernels.py

Kernel: TypeAlias = str | tuple[Any, ...]
Poll: TypeAlias = Callable[[int], object]
EVALUATED: int

class Examples:
    def __init__(
        self, X: Any, scale: float, y: NDArray | None = None, weights: NDArray | None = None
    ): ...

class NetworkCore:
    def __init__(
        self,
        sizes: Sequence[int],
        output: str,
        cost: Any,
        parameters: Any,
        hidden: Sequence[Kernel] | None = None,
        custom_delta: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None,
    ): ...
    def predictor(
        self,
        check_file: Callable[[str, Any], None] | None = None,
        standardize: tuple[NDArray, NDArray] | None = None,
        convert: Callable[[Any], Any] | None = None,
        jacobian: bool = False,
    ) -> Predictor: ...
    def feedforward(
        self, examples: Examples, out: NDArray, threads: int = 1, *, poll: Poll | None = None
    ) -> None: ...
    def jacobian(
        self,
        examples: Examples,
        out: NDArray,
        jacobian: NDArray,
        slopes: NDArray | None = None,
        threads: int = 1,
        *,
        poll: Poll | None = None,
    ) -> None: ...
    def gradient(
        self, examples: Examples, nabla: Any, threads: int = 1, *, poll: Poll | None = None
    ) -> float: ...
    def evaluate(
        self,
        examples: Examples,
        threads: int = 1,
        *,
        networks: NDArray | None = None,
        with_cost: bool = True,
        poll: Poll | None = None,
    ) -> tuple[Any, Any]: ...

class Predictor:
    def __init__(
        self,
        network: NetworkCore,
        check_file: Callable[[str, Any], None] | None = None,
        standardize: tuple[NDArray, NDArray] | None = None,
        convert: Callable[[Any], Any] | None = None,
        jacobian: bool = False,
    ): ...
    def try_predict(self, x: Any) -> NDArray | None: ...
    def __call__(self, x: Any) -> Any: ...

class Training:
    mini_batch_size: int
    shift: int
    steps: int
    moments: NDArray | None
    n_complete: int
    costs: NDArray | None
    divide_l2: bool
    by_blocks: bool | None
    def __init__(
        self,
        network: NetworkCore,
        mini_batch_size: int,
        optimizer: Sequence[Any] = ("plain",),
        *,
        l2: float = 0.0,
        l1: float = 0.0,
        dropout: NDArray | None = None,
        shift: int = 0,
    ): ...
    def resume(self, moments: Any, steps: int) -> None: ...
    def reset(self) -> None: ...
    def run(
        self,
        examples: Examples,
        order: NDArray,
        eta: float,
        *,
        key: int | NDArray | None = None,
        threads: int = 1,
        poll: Poll | None = None,
        snapshots: NDArray | None = None,
    ) -> int: ...

def activate(neurons: Kernel, z: NDArray, out: NDArray, slope: NDArray | None = None) -> None: ...
def backpropagate(
    neurons: Kernel, weights: NDArray, delta: NDArray, a: NDArray | None, delta_below: NDArray
) -> None: ...
def compress(
    X: NDArray, offsets: NDArray, values: NDArray, columns: NDArray | None, masks: NDArray | None
) -> bool: ...
def cost_sum(
    output: str, cost: Any, z: NDArray, y: NDArray, weights: NDArray | None = None
) -> float: ...
def exp(x: NDArray, out: NDArray) -> None: ...
def fma_rounds(dtype: DTypeLike, n: int) -> float: ...
def layout(sizes: Sequence[int], dtype: DTypeLike) -> tuple[int, list[tuple[int, int, int]]]: ...
def log(x: NDArray, out: NDArray) -> None: ...
def max_abs(x: Any) -> float: ...
def max_abs_and_count(x: NDArray) -> tuple[float, int]: ...
def output_error(
    output: str,
    cost: Any,
    a: NDArray,
    y: NDArray,
    factor: float,
    delta: NDArray,
    weights: NDArray | None = None,
) -> None: ...
def padded(m: int, n: int, dtype: DTypeLike) -> NDArray: ...
def permutation(raw: NDArray) -> NDArray: ...
def random_at(key: int, counters: NDArray) -> NDArray: ...
def sigmoid(z: NDArray, out: NDArray) -> None: ...
def softmax(z: NDArray, out: NDArray) -> None: ...
def standard_normal(raw: NDArray) -> NDArray: ...
def sum_of_magnitudes(x: Any) -> float: ...
def sum_of_squares(x: Any) -> float: ...
def uniform(raw: NDArray) -> NDArray: ...
def update(
    weights: NDArray, biases: NDArray, a: NDArray, delta: NDArray, l2: float = 0.0, l1: float = 0.0
) -> None: ...
def weighted_input(a: NDArray, weights: NDArray, biases: NDArray, z: NDArray) -> None: ...
