from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, final

from numpy.typing import ArrayLike, DTypeLike, NDArray

ParameterArray: TypeAlias = NDArray | Storage
KernelCost: TypeAlias = str | tuple[Any, ...]  # a name, or a name and its parameters

EVALUATED: int
TARGETS: tuple[str, ...]

def available() -> list[str]: ...
def isa() -> str: ...
def select(name: str) -> None: ...
def compiler() -> str: ...
def watch_every(heard: float = 0.1, asked: float = 0.02) -> None: ...
def aligned(length: int, dtype: DTypeLike) -> NDArray: ...
def padded(m: int, n: int, dtype: DTypeLike) -> NDArray: ...
def layout(sizes: Sequence[int], dtype: DTypeLike) -> tuple[int, list[tuple[int, int, int]]]: ...
def compress(
    X: NDArray,
    offsets: NDArray,
    values: NDArray,
    columns: NDArray | None,
    masks: NDArray | None,
) -> bool: ...
def trace_with(function: Callable[[dict[str, Any]], None]) -> None: ...
def plan(
    sizes: Sequence[int],
    dtype: DTypeLike,
    m: int,
    n: int | None = None,
    *,
    call: str = "train",
    isa: str | None = None,
    halves_avx512: bool | None = None,
    hidden: Sequence[str] | None = None,
    cost: str | None = "quadratic",
    form: str = "dense",
    density: float = 1.0,
    input_bytes: int | None = None,
    optimizer: str = "plain",
    l2: float = 0.0,
    l1: float = 0.0,
    dropout: Sequence[float] | None = None,
    by_blocks: bool | None = None,
    sharing: int = 0,
    threads: int = 1,
) -> dict[str, Any]: ...
def choose_input_format(
    sizes: Sequence[int],
    dtype: DTypeLike,
    density: float,
    isa: str | None = None,
    halves_avx512: bool | None = None,
) -> str: ...
def choose_threads(sizes: Sequence[int], m: int, density: float, most: int) -> int: ...
def magnitude(x: ParameterArray) -> float: ...
def survey(x: NDArray) -> tuple[float, int]: ...
def sum_of_squares(x: NDArray) -> float: ...
def sum_of_magnitudes(x: NDArray) -> float: ...
def exp(x: NDArray, out: NDArray) -> None: ...
def log(x: NDArray, out: NDArray) -> None: ...
def sigmoid(z: NDArray, out: NDArray) -> None: ...
def activate(neurons: str, z: NDArray, out: NDArray, slope: NDArray | None = None) -> None: ...
def softmax(z: NDArray, out: NDArray) -> None: ...
def weighted_input(a: NDArray, weights: NDArray, biases: NDArray, z: NDArray) -> None: ...
def output_error(
    output: str,
    cost: KernelCost | None,
    a: NDArray,
    y: NDArray,
    factor: float,
    delta: NDArray,
    weights: NDArray | None = None,
) -> None: ...
def cost_sum(
    output: str, cost: KernelCost | None, z: NDArray, y: NDArray, weights: NDArray | None = None
) -> float: ...
def backpropagate(
    neurons: str, weights: NDArray, delta: NDArray, a: NDArray | None, delta_below: NDArray
) -> None: ...
def update(
    weights: NDArray, biases: NDArray, a: NDArray, delta: NDArray, l2: float = 0.0, l1: float = 0.0
) -> None: ...
def random_at(key: int, counters: NDArray) -> NDArray: ...
def train(
    sizes: Sequence[int],
    output: str,
    cost: KernelCost | None,
    parameters: ParameterArray,
    X: NDArray,
    scale: float,
    y: NDArray,
    order: NDArray,
    mini_batch_size: int,
    eta: float,
    l2: float = 0.0,
    delta: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None,
    threads: int = 1,
    *,
    hidden: Sequence[str] | None = None,
    l1: float = 0.0,
    optimizer: Sequence[Any] = ("plain",),
    moments: NDArray | None = None,
    steps: int = 0,
    dropout: NDArray | None = None,
    shift: int = 0,
    key: int | NDArray = 0,
    weights: NDArray | None = None,
    watch: Callable[[int], object] | None = None,
    costs: NDArray | None = None,
    by_blocks: bool | None = None,
    divide_l2: bool = False,
    ended: NDArray | None = None,
    last: NDArray | None = None,
) -> None: ...
def gradient(
    sizes: Sequence[int],
    output: str,
    cost: KernelCost | None,
    parameters: ParameterArray,
    X: NDArray,
    scale: float,
    y: NDArray,
    nabla: ParameterArray,
    delta: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None,
    *,
    hidden: Sequence[str] | None = None,
    weights: NDArray | None = None,
    watch: Callable[[int], object] | None = None,
) -> None: ...
def feedforward(
    sizes: Sequence[int],
    output: str,
    parameters: ParameterArray,
    X: NDArray,
    scale: float,
    out: NDArray,
    threads: int = 1,
    *,
    hidden: Sequence[str] | None = None,
    watch: Callable[[int], object] | None = None,
) -> None: ...
def evaluate(
    sizes: Sequence[int],
    output: str,
    cost: KernelCost | None,
    parameters: ParameterArray,
    X: NDArray,
    scale: float,
    y: NDArray,
    threads: int = 1,
    *,
    hidden: Sequence[str] | None = None,
    weights: NDArray | None = None,
    watch: Callable[[int], object] | None = None,
) -> tuple[Any, Any]: ...

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

@final
class Predictor:
    def __new__(
        cls,
        sizes: Sequence[int],
        output: str,
        parameters: ParameterStorage,
        *,
        hidden: Sequence[str] | None = None,
        check_file: Callable[[str, Any], None] | None = None,
    ) -> Predictor: ...
    def try_one(self, x: object) -> NDArray | None: ...
    def __call__(self, x: ArrayLike) -> NDArray: ...

def fma_rounds(dtype: DTypeLike, n: int) -> float: ...
def permutation(raw: NDArray) -> NDArray: ...
def uniform(raw: NDArray) -> NDArray: ...
def standard_normal(raw: NDArray) -> NDArray: ...
