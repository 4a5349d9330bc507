"""Exceptions and warnings.

Every exception derives from :class:`LiftwaveError` and from the builtin that
PyWavelets (or NumPy) raises in the same situation, so that existing ``except``
clauses keep working.
"""

import os
import sys
import warnings
from pathlib import Path

from numpy.exceptions import AxisError as _NumpyAxisError

_IMPORTING = "<frozen importlib."
_INNER = (str(Path(__file__).parent) + os.sep, _IMPORTING)


class LiftwaveError(Exception):
    """Base class of all errors raised on purpose by liftwave."""


class ModeError(LiftwaveError, ValueError):
    """A boundary mode that does not exist or does not fit the transform."""


class ArgumentTypeError(LiftwaveError, TypeError):
    """An argument of a type that the function does not accept."""


class ModeTypeError(ModeError, ArgumentTypeError):
    """An object that is neither the name nor the number of a boundary mode."""


class WaveletError(LiftwaveError, ValueError):
    """A value that does not describe a discrete wavelet."""


class WaveletTypeError(WaveletError, ArgumentTypeError):
    """An object that is not a wavelet."""


class FactorizationError(WaveletError):
    """A filter bank that has no accurate lifting scheme."""


class ConstraintError(LiftwaveError, ValueError):
    """Constraints that no filters can meet together, or filters that violate a constraint."""


class ConstraintTypeError(ConstraintError, ArgumentTypeError):
    """A number of taps that is not a whole number."""


class ShapeError(LiftwaveError, ValueError):
    """Sizes that do not match: an empty signal, mismatched bands, missing dimensions."""


class ShapeTypeError(ShapeError, ArgumentTypeError):
    """A size that is not a whole number."""


class BandShapeError(ShapeError, RuntimeError):
    """Bands of an undecimated transform that differ in shape.

    PyWavelets raises a :class:`ValueError` along one axis and a :class:`RuntimeError` along several
    axes. This class is both.
    """


class CoefficientsError(ShapeError, ArgumentTypeError, IndexError):
    """Coefficients that are not in the structure that the transform returns.

    PyWavelets raises errors of these types, depending on the part that is wrong.
    """


class FileError(LiftwaveError, OSError, ValueError):
    """A file that cannot be read or written in the expected format."""


class MissingFileError(FileError, FileNotFoundError):
    """A file that does not exist."""


class WindowError(LiftwaveError, ValueError):
    """Pooling windows that are not valid or do not fit the signal."""


class LevelError(LiftwaveError, ValueError):
    """A number of decomposition levels that is not valid."""


class LevelTypeError(LevelError, ArgumentTypeError):
    """A number of decomposition levels that is not a whole number."""


class KernelsError(LiftwaveError, ValueError):
    """Kernels that are not available in this installation."""


class ThreadsError(LiftwaveError, ValueError):
    """A number of threads that is not valid."""


class DeviceError(LiftwaveError, RuntimeError):
    """A kernel that a device cannot run, because it does not compile or cannot be launched."""


class OptionError(LiftwaveError, ValueError):
    """An option that a function does not have."""


class OptionTypeError(OptionError, ArgumentTypeError):
    """An option that is neither true nor false."""


class ExportError(LiftwaveError, ValueError):
    """A transform that cannot be exported as part of a torch model's graph."""


class PenaltyError(LiftwaveError, RuntimeError):
    """A penalty of a torch layer that cannot be part of a loss, because its gradient is lost."""


class ThresholdError(LiftwaveError, ValueError):
    """A thresholding rule that does not exist or does not fit the data."""


class ThresholdTypeError(ThresholdError, ArgumentTypeError):
    """An object that is not the name of a thresholding rule."""


class MissingSamplesError(LiftwaveError, ValueError):
    """Data to denoise that contain NaN or infinite samples."""


class BandError(LiftwaveError, KeyError):
    """A band that a decomposition does not have."""

    __str__ = Exception.__str__  # KeyError would show the message quoted


class PathError(LiftwaveError, IndexError, ValueError):
    """A path that no node of a wavelet packet tree has."""


class PathTypeError(PathError, ArgumentTypeError):
    """A path that is not text, or that leads to a node without data."""


class OrderError(LiftwaveError, ValueError):
    """An order of wavelet packets that does not exist."""


class CostError(LiftwaveError, ValueError):
    """A cost of wavelet packets that does not exist, or a parameter that it does not accept."""


class ScaleError(LiftwaveError, ValueError):
    """A scale of a continuous transform, or a sampling period, that is not valid."""


class AxisError(LiftwaveError, _NumpyAxisError):
    """An axis that the array does not have, or the same axis twice."""


class AxisTypeError(AxisError, ArgumentTypeError):
    """An axis that is not a whole number, or axes that are not a sequence."""


class DTypeError(LiftwaveError, TypeError, ValueError):
    """Data that are not numbers, or numbers that the transform does not support.

    PyWavelets raises a :class:`TypeError` for objects and a :class:`ValueError`
    for text. This class is both.
    """


class EstimatorDataError(LiftwaveError, ValueError, TypeError):
    """Data that scikit-learn's checks reject, with scikit-learn's message.

    scikit-learn raises a :class:`TypeError` for sparse matrices, and a :class:`ValueError` for
    other data. This class is both.
    """


class LevelWarning(UserWarning):
    """Too many levels: every coefficient depends on the boundary."""


class NormWarning(UserWarning):
    """``norm=True`` with a wavelet that is not orthogonal: energy is not preserved."""


class ReconstructionWarning(UserWarning):
    """A filter bank whose synthesis does not undo its analysis."""


class PenaltyWarning(UserWarning):
    """The penalties of some calls of a torch layer are not in the sum."""


class MaskWarning(UserWarning):
    """A mask of AdaPool that had another size when it was saved, and was interpolated."""


class IntegerRangeWarning(UserWarning):
    """Integer coefficients that overflow the widest integer type (the transform stays lossless)."""


class MissingKernelsWarning(UserWarning):
    """The compiled kernels were not built, so the slower reference kernels are used."""


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line of the caller: the first stack frame outside of this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INNER):
        # Python does not count the frames of its import system.
        level += not frame.f_code.co_filename.startswith(_IMPORTING)
        frame = frame.f_back
    warnings.warn(message, category, stacklevel=level)
