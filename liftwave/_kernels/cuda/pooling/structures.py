"""Arguments of the CUDA kernels of pooling as C structures, field by field."""

from __future__ import annotations

import ctypes

_int = ctypes.c_int
_index = ctypes.c_longlong


class Divider(ctypes.Structure):
    """``Divider`` of ``pooling/windows.cuh``."""

    _fields_ = [("multiplier", ctypes.c_uint), ("shift", ctypes.c_uint)]


class Axis(ctypes.Structure):
    """``WindowAxis`` of ``pooling/windows.cuh``."""

    _fields_ = [
        ("inputs", _int),
        ("outputs", _int),
        ("kernel", _int),
        ("stride", _int),
        ("padding", _int),
        ("dilation", _int),
        ("by_stride", Divider),
        ("by_dilation", Divider),
    ]


class Planes(ctypes.Structure):
    """``Planes`` of ``pooling/windows.cuh``."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("plane", _index),
        ("stride", _index * 3),
        ("step", _index * 3),
    ]


class Items(ctypes.Structure):
    """``Items`` of ``pooling/windows.cuh``."""

    _fields_ = [("by", Divider * 3), ("size", _int * 3), ("count", _int)]


class Pooling(ctypes.Structure):
    """``Pooling`` of ``pooling/pool.cuh``."""

    _fields_ = [
        ("samples", Planes),
        ("betas", Planes),
        ("delta", ctypes.c_double),
        ("axes", Axis * 3),
        ("items", Items),
        ("by_rows", Divider),
        ("rows", _int),
        ("first_row", _int),
        ("similarity", _int),
        ("padding", _int),
    ]


class PoolArguments(ctypes.Structure):
    """``PoolArguments`` of ``pooling/pool.cuh``."""

    _fields_ = [("pooling", Pooling), ("result", Planes)]


class SpreadArguments(ctypes.Structure):
    """``SpreadArguments`` of ``pooling/spread.cuh``."""

    _fields_ = [
        ("pooling", Pooling),
        ("windows", Planes),
        ("beside", Planes),
        ("result", Planes),
        ("of_windows", Planes),
        ("of_betas", Planes),
        ("average", _int),
        ("padding", _int),
    ]


class GatherArguments(ctypes.Structure):
    """``GatherArguments`` of ``pooling/gather.cuh``."""

    _fields_ = [
        ("spread", SpreadArguments),
        ("tile", _int * 3),
        ("held", _int * 3),
        ("by_tile", Divider * 3),
        ("by_held", Divider * 3),
    ]


class LargestArguments(ctypes.Structure):
    """``LargestArguments`` of ``pooling/largest.cuh``."""

    _fields_ = [
        ("samples", Planes),
        ("result", Planes),
        ("places", Planes),
        ("axes", Axis * 3),
        ("items", Items),
        ("channels", _index),
    ]


class PlacedArguments(ctypes.Structure):
    """``PlacedArguments`` of ``pooling/largest.cuh``."""

    _fields_ = [
        ("cotangents", Planes),
        ("places", Planes),
        ("result", Planes),
        ("axes", Axis * 3),
        ("items", Items),
        ("channels", _index),
    ]


def divider(by: int) -> Divider:
    """The constants that divide numbers below 2**31 by a multiplication."""
    shift = (by - 1).bit_length()
    return Divider(2**32 * (2**shift - by) // by + 1, shift)


def axis(kernel: int, stride: int, padding: int, dilation: int, n: int, outputs: int) -> Axis:
    numbers = (n, outputs, kernel, stride, padding, dilation)
    return Axis(*numbers, divider(stride), divider(dilation))
