"""Max pooling and unpooling on whatever a user has: opened, checked, dispatched."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from liftwave._arrays.convert import Opened, as_array, common_namespace, open_array, open_arrays
from liftwave._dispatch import bridge, keeps_halves, kernels_for, watched
from liftwave._operations.unpool import (
    Spread,
    Transposed,
    checked_size,
    picked,
    result_size,
    scattered,
    transposed,
)
from liftwave._plan.windows import Ints, WindowPlan, per_axis, windows
from liftwave._typing import Array, ArrayLike
from liftwave.errors import DTypeError, ShapeError, WindowError


def largest(x: ArrayLike, arguments: tuple[Any, ...], return_indices: bool) -> Any:
    """What :func:`max_pool` returns."""
    opened, plan = opened_for_max(x, arguments)
    values, indices = max_of(opened.array, plan)
    closed = opened.close(values)
    return (closed, indices) if return_indices else closed


def opened_for_max(x: ArrayLike, arguments: tuple[Any, ...]) -> tuple[Opened, WindowPlan]:
    """The array made ready, and the windows on it."""
    opened = open_array(x, keeps_halves)
    if opened.xp.isdtype(opened.array.dtype, "complex floating"):
        raise DTypeError(f"complex numbers have no largest one, got {opened.array.dtype}")
    return opened, windows(*arguments).plan(_shape(opened.array))


def _shape(x: Array) -> Ints:
    """The shape in numbers, also where torch has lengths of its own."""
    return tuple(map(int, x.shape))


def max_of(x: Array, plan: WindowPlan) -> tuple[Array, Array]:
    """Largest samples and their places, of the leading axes of ``x``."""
    lead = _shape(x)[: x.ndim - plan.ndim]
    shape, planes = (*lead, *plan.outputs), (prod(lead), *plan.inputs)
    xp = common_namespace([x])
    if not watched([x]):
        found = kernels_for(x).pooling.max_pool(xp.reshape(x, planes), plan)
        return xp.reshape(found[0], shape), xp.reshape(found[1], shape)
    bare = xp.reshape(x.detach(), planes)
    indices = kernels_for(bare).pooling.max_pool(bare, plan)[1]
    indices = xp.reshape(indices, shape)
    return picked(x, indices, plan.ndim), indices


def put_back(x: ArrayLike, indices: Array, arguments: tuple[Any, ...]) -> Array:
    """What :func:`max_unpool` returns."""
    opened, indices, size = opened_for_unpool(x, indices, arguments)
    return opened.close(scattered(opened.array, indices, size))


def opened_for_unpool(
    x: ArrayLike, indices: Array, arguments: tuple[Any, ...]
) -> tuple[Opened, Array, Ints]:
    """Values and places made ready, and the size of the result."""
    kernel_size, stride, padding, output_size, ndim = arguments
    opened, places = open_array(x), as_array(indices)
    xp = common_namespace([opened.array, places])
    if not xp.isdtype(places.dtype, "integral"):
        raise DTypeError(f"indices are integers, as max_pool gives them, got {places.dtype}")
    shape = _shape(opened.array)
    if tuple(places.shape) != shape:
        raise ShapeError(f"indices have shape {tuple(places.shape)}, the values {shape}")
    given = windows(kernel_size, stride, padding, ndim=ndim)
    counts = _counts(shape, given.ndim)
    span = result_size(counts, given.kernel, given.stride, given.padding)
    size = checked_size(output_size, span, given.stride, shape)
    if _is_concrete(places) and 0 not in shape:
        least, most = int(xp.min(places)), int(xp.max(places))
        if least < 0 or most >= prod(size):
            raise ShapeError(
                f"indices from {least} to {most} are not all in a result of size {size}: "
                "output_size is that of what was pooled"
            )
    return opened, places, size


def _is_concrete(x: Array) -> bool:
    """Whether the numbers of ``x`` can be read."""
    return not watched([x]) or bool(bridge().are_bare([x]))


def spread(x: ArrayLike, arguments: tuple[Any, ...], copies: bool) -> Array:
    """What :func:`nearest_unpool` or :func:`bed_of_nails_unpool` returns."""
    opened, how = opened_for_spread(x, arguments, copies)
    return opened.close(how.run(opened.array))


def opened_for_spread(
    x: ArrayLike, arguments: tuple[Any, ...], copies: bool
) -> tuple[Opened, Spread]:
    """Values made ready, and how they are spread."""
    kernel_size, stride, output_size, ndim = arguments
    opened, given = open_array(x), windows(kernel_size, stride, ndim=ndim)
    if copies and any(s < k for k, s in zip(given.kernel, given.stride, strict=True)):
        raise WindowError(
            f"windows overlap, and samples would be copies of several values: stride "
            f"{given.stride} is less than kernel_size {given.kernel}"
        )
    shape = _shape(opened.array)
    span = result_size(_counts(shape, given.ndim), given.kernel, given.stride, given.padding)
    size = checked_size(output_size, span, given.stride, shape)
    width = given.kernel if copies else (1,) * given.ndim
    return opened, Spread(width, given.stride, size)


def _counts(shape: Ints, ndim: int) -> Ints:
    """The numbers of windows along the last axes."""
    if len(shape) < ndim or 0 in shape[len(shape) - ndim :]:
        raise ShapeError(
            f"values for windows along the last {ndim} axes are needed, got an array of shape "
            f"{shape}: kernel_size has one number per axis, and ndim says how many there are"
        )
    return shape[len(shape) - ndim :]


def convolved(x: ArrayLike, weight: ArrayLike, arguments: tuple[Any, ...]) -> Array:
    """What :func:`conv_transpose` returns."""
    opened, how = opened_for_convolution(x, weight, arguments)
    data, taps = (o.array for o in opened)
    ndim = how.plan.ndim
    lead = _shape(data)[: data.ndim - ndim - 1]
    xp = opened[0].xp
    found = how.run(xp.reshape(data, (prod(lead), *data.shape[len(lead) :])), taps)
    return opened[0].close(xp.reshape(found, (*lead, *found.shape[1:])))


def opened_for_convolution(
    x: ArrayLike, weight: ArrayLike, arguments: tuple[Any, ...]
) -> tuple[list[Opened], Transposed]:
    """Data and weights made ready, and how they are convolved."""
    opened = open_arrays([x, weight])
    shape, of_weight = (_shape(o.array) for o in opened)
    check_weight(of_weight)
    ndim = len(of_weight) - 2
    if len(shape) < ndim + 1 or shape[-1 - ndim] != of_weight[0]:
        raise ShapeError(
            f"weights of shape {of_weight} are for {of_weight[0]} channels before {ndim} spatial "
            f"axes, got data of shape {shape}"
        )
    least = (1, 0, 0, 1)
    names = ("stride", "padding", "output_padding", "dilation")
    each = [per_axis(n, v, ndim, m) for n, v, m in zip(names, arguments, least, strict=True)]
    return opened, transposed(_counts(shape, ndim), of_weight[2:], *each)


def check_weight(shape: Sequence[int]) -> None:
    """Raise unless weights of a convolution can have this shape."""
    if len(shape) < 3 or 0 in shape:
        raise ShapeError(
            f"weight has shape (channels, new channels, *kernel), none of them 0, got {shape}"
        )
