"""Conversion of inputs and results of a transform: namespaces, devices, dtypes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from numbers import Number
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_numpy_namespace,
)

from liftwave._arrays.lazy import check_lazy, refuse_lazy
from liftwave._arrays.tensors import ACCEPTED, check_tensor
from liftwave._numbers import as_numbers
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.errors import ArgumentTypeError

# NumPy's float16 and complex longdouble follow PyWavelets. A real longdouble keeps its dtype.
_NUMPY_CONVERTED = {
    "float16": np.float32,
    "clongdouble": np.complex128,
    "complex256": np.complex128,
}


# A tuple, because torch.compile does not support unions of types.
_NUMPY = (np.ndarray, np.generic)

REAL_DTYPES = frozenset(map(np.dtype, ("float32", "float64")))
PLAIN_DTYPES = REAL_DTYPES | frozenset(map(np.dtype, ("complex64", "complex128")))
"""The dtypes of NumPy arrays that need no conversion."""

_HALVES = ("float16", "bfloat16")


class Opened(NamedTuple):
    """An input that is ready for kernels.

    Attributes
    ----------
    array : array
        The array for the kernels.
    xp : namespace
        The namespace of the array.
    result_dtype : dtype
        The dtype in which the caller expects results.
    """

    array: Array
    xp: Namespace
    result_dtype: Any

    def close(self, result: Array) -> Array:
        """Cast a result to the dtype that the caller expects."""
        if result.dtype == self.result_dtype:
            return result
        return self.xp.astype(result, self.result_dtype)

    def close_all(self, results: Sequence[Array], count: int | None = None) -> list[Array]:
        """Cast the first ``count`` results (all by default); the others keep their dtypes."""
        dtype = self.result_dtype
        data, unchanged = (results, ()) if count is None else (results[:count], results[count:])
        return [*[y if y.dtype == dtype else self.close(y) for y in data], *unchanged]


NativeHalf: TypeAlias = Callable[[Sequence[Array]], bool]
"""Tells whether kernels support these half-precision arrays without conversion."""


def never_native_half(arrays: Sequence[Array]) -> bool:
    """Always false: half precision is computed in float32."""
    return False


def is_plain(x: object) -> bool:
    """Whether ``x`` is the common case: a NumPy array of floats that needs no conversion."""
    return type(x) is np.ndarray and x.dtype in PLAIN_DTYPES


INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")
"""The dtypes that integer lifting schemes read."""


def are_plain_memory(*tensors: Array) -> bool:
    """Whether tensors in host memory need no conversion, even if autograd is active."""
    dtypes, strided = _torch_dtypes()
    for x in tensors:
        if x.device.type != "cpu" or x.dtype not in dtypes or x.layout is not strided:
            return False
        if x.is_conj() or x.is_neg():  # the memory holds other numbers than the tensor
            return False
    return True


@cache
def _torch_dtypes() -> tuple[frozenset[Any], Any]:
    """The dtypes of tensors that need no conversion, and their layout."""
    torch = sys.modules["torch"]
    names = (*map(str, PLAIN_DTYPES), *INTEGERS)
    return frozenset(getattr(torch, name) for name in names), torch.strided


def are_plain(arrays: Sequence[object], dtypes: frozenset[Any] = PLAIN_DTYPES) -> bool:
    """Whether all are NumPy arrays of the same dtype, which is one of ``dtypes``."""
    dtype = None
    for x in arrays:
        if type(x) is not np.ndarray:
            return False
        if x.dtype is not dtype:
            if (dtype is not None and x.dtype != dtype) or x.dtype not in dtypes:
                return False
            dtype = x.dtype
    return True


@cache
def _numpy_namespace() -> Namespace:
    # Its import takes as long as that of NumPy, and most transforms of NumPy arrays do not need it.
    return array_namespace(np.empty(0))


def namespace_of(x: Array) -> Namespace:
    """The namespace of an array. Faster than ``array_namespace`` for NumPy arrays."""
    return _numpy_namespace() if type(x) is np.ndarray else array_namespace(x)


def is_array(x: object) -> bool:
    """Whether ``x`` is an array of a known library (lists and numbers are not)."""
    return is_array_api_obj(x)


def is_half(x: Array) -> bool:
    """Whether ``x`` is an array of half precision."""
    return str(x.dtype).rpartition(".")[2] in _HALVES


def is_complex(x: Array) -> bool:
    """Whether ``x`` is an array of complex numbers."""
    if type(x) is np.ndarray:
        return bool(x.dtype.kind == "c")
    return bool(array_namespace(x).isdtype(x.dtype, "complex floating"))


def as_array(data: ArrayLike) -> Array:
    """Return arrays unchanged; convert NumPy subclasses, foreign byte orders and other data.

    Raises
    ------
    DTypeError
        If the data are not numbers, or a tensor is sparse, nested or quantised.
    ArgumentTypeError, ShapeError
        If the data are an array of dask, and :mod:`liftwave.dask` is not imported or a length is
        not known.
    """
    if type(data) is np.ndarray and data.dtype in PLAIN_DTYPES:
        return data
    if is_array_api_obj(data) and not isinstance(data, _NUMPY):
        torch = sys.modules.get("torch")
        # Inline, because it runs in each call.
        if (
            torch is not None
            and isinstance(data, torch.Tensor)
            and (data.is_nested or (data.layout, data.dtype) not in ACCEPTED)
        ):
            check_tensor(data)
        if "dask.array" in sys.modules:
            check_lazy(data)
        return data
    array = as_numbers(data)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def as_number(value: object) -> Any:
    """A scalar as a number: NumPy's scalars and 0-d arrays as Python's. ``None`` for others."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    return value if isinstance(value, Number) else None


def open_array(data: ArrayLike, native_half: NativeHalf | None = None) -> Opened:
    """Convert ``data`` to a floating-point array of its own library, on its own device.

    float32, float64 and the complex dtypes are not converted. Half-precision
    floats of torch and CuPy are computed in float32 and returned in half
    precision, unless ``native_half`` tells that kernels support them. Integers
    and booleans become float64.
    """
    if is_plain(data):
        return Opened(data, _numpy_namespace(), data.dtype)
    return open_arrays([data], native_half)[0]


def open_arrays(data: Sequence[ArrayLike], native_half: NativeHalf | None = None) -> list[Opened]:
    """Like :func:`open_array` for the arrays of one result: one common dtype."""
    if type(data[0]) is np.ndarray and are_plain(data):
        return [Opened(d, _numpy_namespace(), d.dtype) for d in data]
    arrays = [as_array(d) for d in data]
    if "dask.array" in sys.modules:
        refuse_lazy(arrays)
    xp = common_namespace(arrays)
    result, compute = _dtypes(xp, tuple([a.dtype for a in arrays]))
    if compute != result and native_half is not None and native_half(arrays):
        compute = result
    return [Opened(a if a.dtype == compute else _cast(a, compute, xp), xp, result) for a in arrays]


@lru_cache(maxsize=256)
def _dtypes(xp: Namespace, dtypes: tuple[Any, ...]) -> tuple[Any, Any]:
    """The dtype of a result from arrays of these dtypes, and the dtype of computation."""
    result = _common_dtype([_floating(dtype, xp) for dtype in dtypes], xp)
    return result, _compute_dtype(result, xp)


def open_unchanged(data: Sequence[ArrayLike]) -> list[Opened]:
    """Arrays that stay unchanged because nothing is computed."""
    arrays = [as_array(d) for d in data]
    xp = common_namespace(arrays)
    return [Opened(a, xp, a.dtype) for a in arrays]


def open_integers(data: Sequence[ArrayLike], dtype_rule: Any) -> list[Opened]:
    """Integer arrays for an integer scheme; ``dtype_rule`` maps their dtype names to one name."""
    arrays = [as_array(d) for d in data]
    xp = common_namespace(arrays)
    names = [dtype_name(a.dtype, xp) for a in arrays]
    result = getattr(xp, dtype_rule(names))
    return [Opened(a if a.dtype == result else xp.astype(a, result), xp, result) for a in arrays]


def dtype_name(dtype: Any, xp: Namespace) -> str:
    """A dtype's plain name, the same in every library (``"float32"``)."""
    name = str(np.dtype(dtype) if is_numpy_namespace(xp) else dtype)
    return name.rsplit(".", 1)[-1]


def real_dtype(x: Array, xp: Namespace) -> Any:
    """The dtype of the real part of ``x``."""
    if not xp.isdtype(x.dtype, "complex floating"):
        return x.dtype
    return xp.float32 if x.dtype == xp.complex64 else xp.float64


def zeros(shape: tuple[int, ...], like: Array, xp: Namespace) -> Array:
    """Zeros with the dtype and on the device of ``like``."""
    return xp.zeros(shape, dtype=like.dtype, device=device(like))


def common_namespace(arrays: Sequence[Array]) -> Namespace:
    """The namespace of arrays, which must belong to one library."""
    try:
        return array_namespace(*arrays)
    except TypeError:
        libraries = sorted({type(a).__module__.split(".")[0] for a in arrays})
        raise ArgumentTypeError(
            f"arrays of one library are required, got arrays of {', '.join(libraries)}"
        ) from None


def _cast(array: Array, dtype: Any, xp: Namespace) -> Array:
    return xp.astype(array, dtype)


def _floating(dtype: Any, xp: Namespace) -> Any:
    """The floating dtype of the result of a transform of data of ``dtype``."""
    if is_numpy_namespace(xp):
        dtype = np.dtype(_NUMPY_CONVERTED.get(np.dtype(dtype).name, dtype))
        return dtype if dtype.kind in "fc" else np.dtype(np.float64)
    if xp.isdtype(dtype, ("bool", "integral")):
        return xp.float64
    return dtype


def _common_dtype(dtypes: list[Any], xp: Namespace) -> Any:
    first = dtypes[0]
    if all(dtype == first for dtype in dtypes):
        return first
    if is_numpy_namespace(xp):
        # PyWavelets' rule: arrays of different dtypes are computed in double precision.
        return np.result_type(*dtypes, np.float64)
    return xp.result_type(*dtypes)


def _compute_dtype(dtype: Any, xp: Namespace) -> Any:
    half = dtype_name(dtype, xp) in _HALVES
    return xp.float32 if half else dtype


def taken_from(x: Array, axis: int, first: int, count: int) -> Array:
    """``count`` samples from ``first`` on, in a graph for any lengths.

    A view would fix which of the lengths are even.
    """
    xp = array_namespace(x)
    return xp.take(x, xp.arange(count, dtype=xp.int64, device=device(x)) + first, axis=axis)
