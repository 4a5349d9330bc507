"""Pooling windows as data: the samples that each output reads, along every axis.

Place ``j`` of the window of output ``o`` is at sample ``o * stride - padding + j * dilation``,
for ``0 <= j < kernel``, along each axis. The region of a window consists of the samples at its
places. Padding adds no samples: it only permits windows to extend beyond the ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypeAlias

from liftwave._numbers import flag, is_several, items, whole_number
from liftwave.errors import ShapeError, WindowError

Ints: TypeAlias = tuple[int, ...]
Size: TypeAlias = "int | Sequence[int]"
"""One number for all spatial axes, or one per axis."""

# Products with lengths of arrays must fit into 64 bits.
_LARGEST = 2**31 - 1
_MOST_AXES = 64


class WindowPlan(NamedTuple):
    """Windows along all spatial axes; every attribute has one number per axis.

    Attributes
    ----------
    kernel, stride, padding, dilation : tuple of int
        As in torch's pooling.
    inputs, outputs : tuple of int
        The lengths of the signal, and the numbers of windows.
    """

    kernel: Ints
    stride: Ints
    padding: Ints
    dilation: Ints
    inputs: Ints
    outputs: Ints

    @property
    def ndim(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    @property
    def size(self) -> int:
        """The number of places in a window."""
        return prod(self.kernel)

    @property
    def is_full(self) -> bool:
        """Whether every place of every window is inside of the signal."""
        return all(
            p == 0 and (o - 1) * s + (k - 1) * d < n for k, s, p, d, n, o in zip(*self, strict=True)
        )

    def with_channels(self, count: int) -> WindowPlan:
        """The same windows on arrays with ``count`` channels after the spatial axes.

        Each channel is a separate window along the added axis.
        """
        added = (1, 1, 0, 1, count, count)
        return WindowPlan(*((*row, number) for row, number in zip(self, added, strict=True)))


# --- arguments -------------------------------------------------------------------------------


class WindowArguments(NamedTuple):
    """Validated arguments of a pooling layer, without the size of the signal."""

    kernel: Ints
    stride: Ints
    padding: Ints
    dilation: Ints
    ceil_mode: bool

    @property
    def ndim(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    def fields(self) -> list[Any]:
        """The arguments as JSON data, for :meth:`from_fields`."""
        return [*map(list, self[:-1]), self.ceil_mode]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> WindowArguments:
        """The arguments with these :meth:`fields`."""
        kernel, stride, padding, dilation = map(tuple, fields[:4])
        return cls(kernel, stride, padding, dilation, fields[4])

    def plan_for(self, shape: Sequence[int]) -> WindowPlan:
        """The plan for a signal of this shape, whose last axes are the spatial ones.

        Raises
        ------
        ShapeError
            If the array has fewer axes, or an axis without samples.
        WindowError
            If no window fits, or a window has no sample.
        """
        if len(shape) < self.ndim:
            raise ShapeError(
                f"kernel_size {self.kernel} pools the last {self.ndim} axes, got an array of "
                f"shape {tuple(shape)}: pass an int for kernel_size and ndim={len(shape)}, or a "
                f"kernel_size for {len(shape)} axes"
            )
        inputs = tuple(shape[len(shape) - self.ndim :])
        if 0 in inputs:
            raise ShapeError(f"an array of shape {tuple(shape)} has no samples to pool")
        numbers = (self.kernel, self.stride, self.padding, self.dilation, inputs)
        outputs = tuple(_outputs(*axis, self.ceil_mode) for axis in zip(*numbers, strict=True))
        return WindowPlan(*numbers, outputs)


def window_arguments(
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    ndim: int | None = None,
) -> WindowArguments:
    """Validate the arguments of a pooling layer by the rules of torch's pooling.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or sequence of int
        One number, or one per spatial axis; ``stride=None`` means the size of the kernel.
    ceil_mode : bool
        Whether windows that extend beyond the end count, if they begin before it.
    ndim : int, optional
        The number of spatial axes; by default the length of ``kernel_size``, or 2 for a number.

    Raises
    ------
    ArgumentTypeError
        If an argument is not an integer.
    WindowError
        If numbers are too small or large, too many or too few, or padding is more than half the
        kernel.
    """
    ceil_mode = ceil_mode is not False and flag(ceil_mode, "ceil_mode")
    arguments = (kernel_size, stride, padding, dilation, ceil_mode, ndim)
    is_cacheable = PLAIN_TYPES.issuperset(map(type, arguments)) or are_plain(arguments)
    return (_cached if is_cacheable else _validated)(*arguments)


PLAIN_TYPES = frozenset((int, bool, str, type(None)))
"""Equal arguments of these types are equivalent, so they can be keys of a cache.

(1.0 equals 1, but is not a valid size.)
"""


def are_plain(arguments: tuple[Any, ...]) -> bool:
    """Whether all arguments are of :data:`PLAIN_TYPES` or tuples of these."""
    for argument in arguments:
        types = argument if type(argument) is tuple else (argument,)
        if not PLAIN_TYPES.issuperset(map(type, types)):
            return False
    return True


def _validated(
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    ndim: int | None,
) -> WindowArguments:
    dims = axis_count(kernel_size, ndim)
    kernel = per_axis("kernel_size", kernel_size, dims, 1)
    strides = kernel if stride is None else per_axis("stride", stride, dims, 1)
    pads = per_axis("padding", padding, dims, 0)
    dilations = per_axis("dilation", dilation, dims, 1)
    if any(2 * p > k for k, p in zip(kernel, pads, strict=True)):
        raise WindowError(
            f"padding must be at most half the kernel_size, got padding {pads} for {kernel}"
        )
    return WindowArguments(kernel, strides, pads, dilations, ceil_mode)


_cached = lru_cache(maxsize=1024)(_validated)


def window_plan(
    shape: Sequence[int],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    ndim: int | None = None,
) -> WindowPlan:
    """The windows on a signal of this shape, from the arguments of :func:`window_arguments`."""
    arguments = window_arguments(kernel_size, stride, padding, dilation, ceil_mode, ndim)
    return arguments.plan_for(shape)


def axis_count(kernel_size: Any, ndim: int | None) -> int:
    """The number of spatial axes: a sequence's length, or ``ndim``, or 2."""
    several = is_several(kernel_size)
    length = len(items(kernel_size, "kernel_size must be integers")) if several else None
    if ndim is not None:
        ndim = _integer("ndim", ndim)
        if not 1 <= ndim <= _MOST_AXES or length not in (None, ndim):
            raise WindowError(
                f"ndim must be the number of spatial axes, from 1 to {_MOST_AXES}, got ndim={ndim} "
                f"with kernel_size {kernel_size}"
            )
        return ndim
    if length == 0:
        raise WindowError("kernel_size needs one number for each spatial axis, got none")
    return 2 if length is None else length


def per_axis(name: str, value: Any, ndim: int, least: int) -> Ints:
    """One integer for each of ``ndim`` axes, from ``least`` to 2**31 - 1."""
    if is_several(value):
        numbers = tuple(_integer(name, v) for v in items(value, f"{name} must be integers"))
        if len(numbers) == 1:
            numbers *= ndim
    else:
        numbers = (_integer(name, value),) * ndim
    if len(numbers) != ndim:
        raise WindowError(f"{name} must be one number or {ndim}, one per spatial axis, got {value}")
    if min(numbers) < least:
        raise WindowError(f"{name} must be at least {least}, got {value}")
    if max(numbers) > _LARGEST:
        raise WindowError(f"{name} must be at most {_LARGEST}, got {value}")
    return numbers


def _integer(name: str, value: Any) -> int:
    return whole_number(value, f"{name} must be an integer or a sequence of integers")


def _outputs(kernel: int, stride: int, padding: int, dilation: int, n: int, ceil: bool) -> int:
    """The number of windows along an axis of ``n`` samples."""
    extent = (kernel - 1) * dilation + 1
    room = n + 2 * padding - extent
    count = -(-room // stride) + 1 if ceil else room // stride + 1
    if ceil and (count - 1) * stride >= n + padding:
        count -= 1  # the last window would begin after the end
    if count < 1:
        raise WindowError(
            f"no window fits: it spans {extent} samples, but the signal has {n} with padding "
            f"{padding} (kernel_size {kernel}, dilation {dilation}); use a smaller kernel, or "
            "ceil_mode"
        )
    # Only windows that begin before the first sample can miss all samples.
    starts = range(-padding, min(0, count * stride - padding), stride)
    if not all(_has_sample(first, kernel, dilation, n) for first in starts):
        raise WindowError(
            f"a window has no sample: kernel_size {kernel} with dilation {dilation} and padding "
            f"{padding} extends over all {n} samples"
        )
    return count


def _has_sample(first: int, kernel: int, dilation: int, n: int) -> bool:
    return any(0 <= first + j * dilation < n for j in range(kernel))
