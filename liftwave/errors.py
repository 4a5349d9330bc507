"""Exceptions and warnings.

Every exception derives from :class:`LiftwaveError` and from the builtin that
PyWavelets (or NumPy) raises in the same situation, so that existing ``except``
clauses go on working.
"""

from numpy.exceptions import AxisError as _NumpyAxisError


class LiftwaveError(Exception):
    """Base class of all errors raised on purpose by liftwave."""


class ModeError(LiftwaveError, ValueError):
    """A boundary mode that does not exist or does not fit the transform."""


class ArgumentTypeError(LiftwaveError, TypeError):
    """An argument of a type that has no meaning there."""


class WaveletError(LiftwaveError, ValueError):
    """Something that cannot be understood as a discrete wavelet."""


class FactorizationError(WaveletError):
    """A filter bank that has no accurate lifting scheme."""


class ConstraintError(LiftwaveError, ValueError):
    """Constraints that no filters can meet together, or filters that do not meet one."""


class ShapeError(LiftwaveError, ValueError):
    """Sizes that do not fit: an empty signal, mismatched bands, missing dimensions."""


class WindowError(LiftwaveError, ValueError):
    """Windows of pooling that cannot be, or do not fit the signal."""


class LevelError(LiftwaveError, ValueError):
    """A number of decomposition levels that is not possible."""


class KernelsError(LiftwaveError, ValueError):
    """A family of kernels that does not exist here."""


class DeviceError(LiftwaveError, RuntimeError):
    """A kernel that a device could not run: it does not compile there, or cannot be launched."""


class OptionError(LiftwaveError, ValueError):
    """A choice that a function does not have."""


class ExportError(LiftwaveError, ValueError):
    """A transform that cannot be part of the graph that is being made of a torch model."""


class BandError(LiftwaveError, KeyError):
    """A band that a decomposition does not have."""

    __str__ = Exception.__str__  # KeyError would show the message quoted


class AxisError(LiftwaveError, _NumpyAxisError):
    """An axis that the array does not have, or one given twice."""


class DTypeError(LiftwaveError, TypeError, ValueError):
    """Data that are no numbers, or numbers that the transform cannot work on.

    PyWavelets raises a :class:`TypeError` for objects and a :class:`ValueError`
    for text; this is both.
    """


class LevelWarning(UserWarning):
    """More levels than keep one coefficient free of boundary effects."""


class ReconstructionWarning(UserWarning):
    """A filter bank whose synthesis does not undo its analysis."""


class IntegerRangeWarning(UserWarning):
    """Integer coefficients that overflow the widest integer type (they stay lossless)."""


class MissingKernelsWarning(UserWarning):
    """The compiled kernels were not built, so that the slower reference kernels serve."""
