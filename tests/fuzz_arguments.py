"""Random arguments for calls of PyWavelets' functions, as specifications that can be printed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pywt
from helpers import DISCRETE, MODES

# --- specifications ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Samples:
    """Random samples of a shape, a dtype and a memory layout."""

    shape: tuple[int, ...]
    dtype: str
    layout: str
    seed: int

    def made(self, native: bool) -> Any:
        """The array; with ``native`` in the byte order of the machine."""
        return laid_out(self.values(), "C" if native and self.layout == "swapped" else self.layout)

    def values(self) -> np.ndarray:
        """The samples as a C-contiguous array."""
        rng = np.random.default_rng(self.seed)
        dtype = np.dtype(self.dtype)
        if dtype.kind in "biu":
            low = -100 if dtype.kind == "i" else 0
            return rng.integers(low, 100, self.shape).astype(dtype)
        values = rng.standard_normal(self.shape)
        if dtype.kind == "c":
            values = values + 1j * rng.standard_normal(self.shape)
        return np.asarray(values).astype(dtype)


@dataclass(frozen=True)
class Bank:
    """A wavelet object: PyWavelets' own, one with the filters of a name, or a continuous one."""

    name: str
    kind: str

    def made(self) -> Any:
        """The wavelet."""
        if self.kind == "continuous":
            return pywt.ContinuousWavelet(self.name)
        own = pywt.Wavelet(self.name)
        return own if self.kind == "own" else pywt.Wavelet("custom", own.filter_bank)


def made(values: Any, native: bool = False) -> Any:
    """Nested lists, tuples and dicts with each specification replaced by its object."""
    if isinstance(values, Bank):
        return values.made()
    if isinstance(values, Samples):
        return values.made(native)
    if isinstance(values, dict):
        return {key: made(value, native) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(made(value, native) for value in values)
    return values


LAYOUTS = (
    "C",
    "F",
    "strided",
    "reversed",
    "broadcast",
    "read-only",
    "unaligned",
    "swapped",
    "list",
)


def laid_out(x: np.ndarray, layout: str) -> Any:
    """The array in a memory layout; some layouts change its samples."""
    if layout == "F":
        return np.array(x, order="F")
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x
    if layout == "reversed":
        return x[tuple([slice(None, None, -1)] * x.ndim)]
    if layout == "broadcast" and x.size:
        return np.broadcast_to(x[:1], x.shape) if x.ndim else x
    if layout == "read-only":
        x.flags.writeable = False
    if layout == "unaligned":
        raw = np.empty(x.nbytes + 1, np.uint8)
        view = raw[1:].view(x.dtype).reshape(x.shape)
        view[...] = x
        return view
    if layout == "swapped":
        return x.astype(x.dtype.newbyteorder())
    return x.tolist() if layout == "list" else x


# --- random choices ------------------------------------------------------------------------------

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 31, 32, 33, 50)
DTYPES = ("float64", "float32", "complex64", "complex128", "float16", "longdouble", "clongdouble")
DTYPES += ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SHORT = ("haar", "db1", "db2", "db3", "sym4", "coif1", "bior1.3", "bior2.2", "bior4.4", "rbio3.1")
NO_WAVELETS = ("db99", "", "mexh", None, 3, Bank("mexh", "continuous"))
NO_MODES = ("mirror", "symh", "asym", "asymh", "Symmetric", "", None, 99, -1, 1.5, (), ["zero"])
SHORT_MODES = ("zpd", "cpd", "sym", "ppd", "sp1", "per")
NO_LEVELS: tuple[Any, ...] = (-1, 1.5, "1", (1,), 2.0, np.int64(1), True, float("nan"))
NO_ARRAYS: tuple[Any, ...] = (None, "text", object, [], {}, 1.0, ["a", "b"], [[1.0], [1.0, 2.0]])


class Chooser:
    """Random arguments; a small part of them is invalid."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def one(self, *values: Any) -> Any:
        """One of the values."""
        return self.rng.choice(values)

    def seed(self) -> int:
        """A seed for samples."""
        return self.rng.getrandbits(20)

    def dtype(self) -> str:
        """A dtype; those of PyWavelets' own computations are more frequent."""
        return self.one(*DTYPES[:4]) if self.chance(0.6) else self.one(*DTYPES)

    def shape(self, dims: int) -> tuple[int, ...]:
        """A shape of few samples; sometimes with an empty or a long axis."""
        sizes = SIZES if dims < 3 else SIZES[:9]
        shape = [self.one(*sizes) for _ in range(dims)]
        if dims and self.chance(0.04):
            shape[self.rng.randrange(dims)] = 0
        if dims == 1 and self.chance(0.1):
            shape[0] = self.one(100, 257, 1000)
        return tuple(shape)

    def samples(
        self, shape: tuple[int, ...], dtype: str | None = None, *, as_list: bool = True
    ) -> Samples:
        """Samples in a random memory layout; sometimes a list of numbers."""
        layout = self.one(*LAYOUTS) if self.chance(0.5) else "C"
        layout = "C" if layout == "list" and not as_list else layout
        return Samples(shape, dtype or self.dtype(), layout, self.seed())

    def array(self, dims: int) -> Any:
        """Samples, or something that is not an array."""
        return self.one(*NO_ARRAYS) if self.chance(0.02) else self.samples(self.shape(dims))

    def wavelet(self, dims: int = 1) -> Any:
        """A wavelet, by name or as an object; a short one in four dimensions."""
        if self.chance(0.02):
            return self.one(*NO_WAVELETS)
        name = self.one(*SHORT) if dims > 3 or self.chance(0.7) else self.one(*DISCRETE)
        return Bank(name, self.one("own", "custom")) if self.chance(0.2) else name

    def mode(self) -> Any:
        """A boundary mode, by name, short name or number."""
        if self.chance(0.02):
            return self.one(*NO_MODES)
        if self.chance(0.05):
            return self.one(*SHORT_MODES, *range(9))
        return self.one(*MODES)

    def several(self, choose: Any, count: int) -> Any:
        """One argument, or one for each of ``count`` axes (rarely for another number)."""
        if self.chance(0.75):
            return choose()
        count += self.one(-1, 1) if self.chance(0.03) else 0
        return tuple(choose() for _ in range(max(count, 0)))

    def axis(self, dims: int) -> Any:
        """An axis; rarely one that the array does not have."""
        if self.chance(0.03):
            return self.one(dims, -dims - 1, 0.0, 0.5, "0", None, np.int64(0))
        return self.rng.randrange(-dims, dims) if dims else -1

    def axes(self, dims: int, count: int) -> tuple[Any, ...]:
        """Different axes; rarely equal ones, other numbers of them, or others than the array's."""
        if self.chance(0.03):
            return tuple(self.axis(dims) for _ in range(self.one(0, 1, 2, 3)))
        axes = self.rng.sample(range(dims), min(count, dims))
        return tuple(a - dims if self.chance(0.5) else a for a in axes)

    def level(self, dims: int = 1) -> Any:
        """A number of levels; few in many dimensions, where long filters make arrays large."""
        if self.chance(0.03):
            return self.one(*NO_LEVELS)
        return self.one(None, 0, 1, 1, 2, 2, 3, 5) if dims < 3 else self.one(None, 0, 1)

    def options(self, **options: Any) -> dict[str, Any]:
        """A part of the options; the others keep their defaults."""
        return {name: value for name, value in options.items() if self.chance(0.7)}
