"""Invalid arguments raise before any computation, with classes that existing code catches."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import pywt
import torch
from helpers import MODES

import liftwave as lw
from liftwave import _dispatch, errors
from liftwave.errors import (
    ArgumentTypeError,
    AxisError,
    LevelError,
    LevelWarning,
    LiftwaveError,
    ModeError,
    ReconstructionWarning,
    ShapeError,
    ThreadsError,
    ThresholdError,
    WaveletError,
)


class NoWork:
    """Kernels that can be chosen, but must not be called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def serves(self, *arrays: Any) -> bool:
        return True

    def __getattr__(self, function: str) -> Any:
        raise AssertionError(f"{function} was asked for before the error was raised")


@pytest.fixture
def no_work() -> Iterator[None]:
    """Every use of a kernel fails the test."""
    with ExitStack() as stack:
        for name in _dispatch.families():
            stack.enter_context(_dispatch.registered(NoWork(name)))
        yield


def test_the_guard_guards(no_work: None) -> None:
    with pytest.raises(AssertionError, match="analyse was asked for"):
        lw.dwt([1.0, 2.0], "haar")


# --- the table -----------------------------------------------------------------------------------

X = np.arange(16.0).reshape(4, 4)
LINE = np.arange(4.0)
HAAR = lw.LiftingScheme.from_name("haar")
DEEP = np.arange(6.0)
RESULT = lw.fswavedecn(X, "haar", levels=1)
DETAILS = {"da": X, "ad": X, "dd": X}


class Bad(NamedTuple):
    """An invalid call, its exceptions (ours, Python's), and a pattern of the message."""

    call: Callable[[], Any]
    ours: type[LiftwaveError]
    builtin: type[Exception]
    match: str


def set_approx(result: Any, value: Any) -> None:
    result.approx = value


def set_coeffs(result: Any, value: Any) -> None:
    result.coeffs = value


WAVELETS: dict[str, Bad] = {
    "unknown name": Bad(
        lambda: lw.dwt(X, "db99"), WaveletError, ValueError, r"Unknown wavelet name 'db99', check"
    ),
    "empty name": Bad(
        lambda: lw.dwt(X, ""), WaveletError, TypeError, r"needs a name or four filters"
    ),
    "continuous name": Bad(
        lambda: lw.dwt(X, "morl"),
        WaveletError,
        ValueError,
        r"'morl' is a continuous wavelet.*wavelist\(kind='discrete'\)",
    ),
    "continuous object": Bad(
        lambda: lw.wavedecn(X, pywt.ContinuousWavelet("mexh")),
        WaveletError,
        ValueError,
        r"'mexh' is a continuous wavelet",
    ),
    "None": Bad(
        lambda: lw.dwtn(X, None),
        WaveletError,
        ValueError,
        r"expected a wavelet: a name.*got None of type NoneType",
    ),
    "number": Bad(
        lambda: lw.idwt(X, X, 4), WaveletError, ValueError, r"expected a wavelet.*4 of type int"
    ),
    "list for one axis": Bad(
        lambda: lw.dwt(X, ["haar"]), WaveletError, ValueError, r"expected a wavelet.*of type list"
    ),
    "too many": Bad(
        lambda: lw.dwt2(X, ("haar",) * 3),
        WaveletError,
        ValueError,
        r"number of wavelets must match the number of axes.*got 3 wavelets for 2 axes",
    ),
    "none at all": Bad(
        lambda: lw.wavedecn(X, []), WaveletError, ValueError, r"got 0 wavelets for 2 axes"
    ),
    "for dwt_max_level": Bad(
        lambda: lw.dwt_max_level(8, "db99"),
        WaveletError,
        ValueError,
        r"'db99', is not a recognized discrete wavelet",
    ),
    "for dwt_coeff_len": Bad(
        lambda: lw.dwt_coeff_len(8, "morl", "zero"),
        WaveletError,
        ValueError,
        r"'morl', is not a recognized discrete wavelet",
    ),
    "no filter length": Bad(
        lambda: lw.dwt_max_level(8, 2.5),
        WaveletError,
        ValueError,
        r"filter_len must be an integer, discrete Wavelet object, or the name.*got 2\.5",
    ),
    "no filter length at all": Bad(
        lambda: lw.dwt_max_level(8, None), WaveletError, ValueError, r"filter_len must be.*got None"
    ),
    "filter too short": Bad(
        lambda: lw.dwt_max_level(8, 1),
        WaveletError,
        ValueError,
        r"invalid wavelet filter length: 1",
    ),
    "filter of no length": Bad(
        lambda: lw.dwt_coeff_len(8, 0, "zero"),
        WaveletError,
        ValueError,
        r"Value of filter_len must be greater than zero, got 0",
    ),
    "part": Bad(
        lambda: lw.downcoef("b", LINE, "haar"),
        WaveletError,
        ValueError,
        r"Argument 1 must be 'a' or 'd', not 'b'",
    ),
    "part of upcoef": Bad(
        lambda: lw.upcoef("ad", LINE, "haar"),
        WaveletError,
        ValueError,
        r"must be 'a' or 'd', not 'ad'",
    ),
    "array taps examined": Bad(
        lambda: lw.FilterBank(*[torch.ones(2)] * 4).orthogonal,
        WaveletError,
        ValueError,
        r"holds array taps: their properties are not examined",
    ),
    "empty taps": Bad(
        lambda: lw.FilterBank([], [1], [1], [1]),
        LiftwaveError,
        ValueError,
        r"dec_lo must be a non-empty 1-D sequence, got shape \(0,\)",
    ),
    "taps of two dimensions": Bad(
        lambda: lw.FilterBank([1], [[1]], [1], [1]),
        LiftwaveError,
        ValueError,
        r"dec_hi must be a non-empty 1-D sequence, got shape \(1, 1\)",
    ),
    "array taps of two dimensions": Bad(
        lambda: lw.FilterBank([1], [1], torch.ones(1, 1), [1]),
        LiftwaveError,
        ValueError,
        r"rec_lo must be a non-empty 1-D array, got shape \(1, 1\)",
    ),
    "complex taps": Bad(
        lambda: lw.FilterBank([1], [1], [1], [1j]),
        LiftwaveError,
        TypeError,
        r"rec_hi must be real numbers, got dtype complex128",
    ),
    "infinite taps": Bad(
        lambda: lw.FilterBank([1, np.inf], [1], [1], [1]),
        LiftwaveError,
        ValueError,
        r"dec_lo must be finite, got \[1\.0, inf\]",
    ),
}

MODES_AND_AXES: dict[str, Bad] = {
    "mode": Bad(
        lambda: lw.dwt(X, "haar", "mirror"),
        ModeError,
        ValueError,
        r"Unknown mode name 'mirror'; use one of 'zero', 'constant'",
    ),
    "mode at level 0": Bad(
        lambda: lw.wavedec2(X, "haar", "mirror", level=0), ModeError, ValueError, r"'mirror'"
    ),
    "mode of an only approximation": Bad(
        lambda: lw.fswavedecn(X, "haar", "mirror", levels=0), ModeError, ValueError, r"'mirror'"
    ),
    "mode number": Bad(
        lambda: lw.dwt(X, "haar", 99), ModeError, ValueError, r"Unknown mode name 99"
    ),
    "mode of padding": Bad(
        lambda: lw.pad(X, 1, "wrap"), ModeError, ValueError, r"'wrap'; use one of"
    ),
    "mode of lengths": Bad(
        lambda: lw.dwt_coeff_len(8, 2, "wrap"), ModeError, ValueError, r"'wrap'; use one of"
    ),
    "mode None": Bad(
        lambda: lw.dwt(X, "haar", None),
        ArgumentTypeError,
        TypeError,
        r"mode must be a name or a number, got None of type NoneType",
    ),
    "modes for one axis": Bad(
        lambda: lw.wavedec(X, "haar", ["zero"]), ArgumentTypeError, TypeError, r"of type list"
    ),
    "too many modes": Bad(
        lambda: lw.dwtn(X, "haar", ["zero"] * 3),
        ModeError,
        ValueError,
        r"number of modes must match the number of axes.*got 3 modes for 2 axes",
    ),
    "lifting mode at level 0": Bad(
        lambda: lw.wavedecn(X, HAAR, "smooth", level=0),
        ModeError,
        ValueError,
        r"mode 'smooth' is not defined for lifting.*use one of 'periodization', 'reflect'",
    ),
    "axis": Bad(
        lambda: lw.dwt(X, "haar", axis=2),
        AxisError,
        IndexError,
        r"Axis greater than data dimensions: axis 2 of an array with 2",
    ),
    "negative axis": Bad(lambda: lw.idwt(X, X, "haar", axis=-3), AxisError, ValueError, r"axis -3"),
    "axis of waverec": Bad(
        lambda: lw.waverec([X, X], "haar", axis=2), AxisError, ValueError, r"axis 2"
    ),
    "axes of dwtn": Bad(lambda: lw.dwtn(X, "haar", axes=(0, 5)), AxisError, ValueError, r"axis 5"),
    "axes of wavedecn": Bad(
        lambda: lw.wavedecn(X, "haar", axes=-4), AxisError, ValueError, r"axis -4"
    ),
    "axes twice": Bad(
        lambda: lw.wavedecn(X, "haar", axes=(0, -2)),
        AxisError,
        ValueError,
        r"The axes passed must be unique, got \(0, -2\) for an array with 2",
    ),
    "axes twice in wavedec2": Bad(
        lambda: lw.wavedec2(X, "haar", axes=(1, 1)), AxisError, ValueError, r"must be unique"
    ),
    "axes twice in waverecn": Bad(
        lambda: lw.waverecn([X, DETAILS], "haar", axes=(1, 1)), AxisError, ValueError, r"unique"
    ),
    "axes twice in fswavedecn": Bad(
        lambda: lw.fswavedecn(X, "haar", axes=(1, 1)), AxisError, ValueError, r"must be unique"
    ),
    "axes twice in decompose": Bad(
        lambda: lw.decompose(X, "haar", axes=(1, 1)), AxisError, ValueError, r"must be unique"
    ),
    "three axes in 2-D": Bad(
        lambda: lw.dwt2(X, "haar", axes=(0, 1, 0)), ShapeError, ValueError, r"Expected 2 axes, got"
    ),
    "one axis in 2-D": Bad(
        lambda: lw.waverec2([X, (X, X, X)], "haar", axes=(0,)),
        ShapeError,
        ValueError,
        r"got \(0,\)",
    ),
    "axis that is not an integer": Bad(
        lambda: lw.dwt(X, "haar", axis=1.5), LiftwaveError, TypeError, r"axis.*1\.5"
    ),
    "axes that are not integers": Bad(
        lambda: lw.dwtn(X, "haar", axes="ab"), LiftwaveError, TypeError, r"axis.*'ab'"
    ),
    "two axes in 1-D": Bad(
        lambda: lw.wavedec(X, "haar", axis=(0, 1)), LiftwaveError, TypeError, r"axis.*\(0, 1\)"
    ),
    "no axis in 1-D": Bad(
        lambda: lw.wavedec(X, "haar", axis=None), LiftwaveError, TypeError, r"axis.*None"
    ),
    "no axis in waverec": Bad(
        lambda: lw.waverec([X, X], "haar", axis=None), LiftwaveError, TypeError, r"axis.*None"
    ),
    "no axes for a level": Bad(
        lambda: lw.dwtn_max_level((4,), "haar", axes=()), LiftwaveError, ValueError, r"ax[ei]s"
    ),
}

SIZES: dict[str, Bad] = {
    "no samples": Bad(
        lambda: lw.dwt(np.zeros((3, 0)), "haar"),
        ShapeError,
        ValueError,
        r"Value of data_len must be greater than zero: axis 1 of shape \(3, 0\).* 0 samples",
    ),
    "no samples for lifting": Bad(
        lambda: lw.dwt(np.zeros(0), HAAR, "zero"), ShapeError, ValueError, r"axis 0 of shape \(0,\)"
    ),
    "one sample to reflect": Bad(
        lambda: lw.dwt([1.0], "haar", "reflect"),
        ShapeError,
        ValueError,
        r"must be greater than 1 for \[anti\]reflect mode: axis 0 of shape \(1,\) at level 1",
    ),
    "one sample to antireflect": Bad(
        lambda: lw.dwtn(np.ones((4, 1)), "db2", "antireflect"),
        ShapeError,
        ValueError,
        r"axis 1 of shape \(4, 1\) at level 1",
    ),
    "one sample left at a deep level": Bad(
        lambda: lw.wavedec(DEEP, "haar", "reflect", level=4),
        ShapeError,
        ValueError,
        r"axis 0 of shape \(6,\) at level 4 has 1 sample \(use another mode, or fewer levels\)",
    ),
    "one sample left, shapes only": Bad(
        lambda: lw.wavedecn_shapes((6,), "haar", "reflect", 4),
        ShapeError,
        ValueError,
        r"at level 4",
    ),
    "one sample left in one axis": Bad(
        lambda: lw.fswavedecn(np.ones((64, 6)), "haar", "reflect", levels=(1, 4)),
        ShapeError,
        ValueError,
        r"axis 1 of shape \(64, 6\) at level 4",
    ),
    "one sample left for downcoef": Bad(
        lambda: lw.downcoef("a", DEEP, "haar", "reflect", 4), ShapeError, ValueError, r"at level 4"
    ),
    "0-d for dwtn": Bad(
        lambda: lw.dwtn(1.0, "haar"),
        ShapeError,
        ValueError,
        r"must be at least 1D, got a 0-d array",
    ),
    "0-d for wavedecn": Bad(
        lambda: lw.wavedecn(1.0, "haar"), ShapeError, ValueError, r"Expected at least 1D input data"
    ),
    "0-d for decompose": Bad(
        lambda: lw.decompose(1.0, "haar"),
        ShapeError,
        ValueError,
        r"Expected at least 1D input data",
    ),
    "1-D for wavedec2": Bad(
        lambda: lw.wavedec2(LINE, "haar"),
        ShapeError,
        ValueError,
        r"to have at least 2 dimensions, got shape \(4,\)",
    ),
    "no dimensions for shapes": Bad(
        lambda: lw.wavedecn_shapes((), "haar"), ShapeError, ValueError, r"at least 1D input data"
    ),
    "no dimensions for levels": Bad(
        lambda: lw.dwtn_max_level((), "haar"), ShapeError, ValueError, r"at least 1D input data"
    ),
    "2-D for downcoef": Bad(
        lambda: lw.downcoef("a", X, "haar"),
        ShapeError,
        ValueError,
        r"downcoef only supports 1d data, got shape \(4, 4\)",
    ),
    "2-D for upcoef": Bad(
        lambda: lw.upcoef("a", X, "haar"),
        ShapeError,
        ValueError,
        r"upcoef only supports 1d coeffs, got shape \(4, 4\)",
    ),
    "nothing for upcoef": Bad(
        lambda: lw.upcoef("a", np.zeros(0), "haar"),
        ShapeError,
        ValueError,
        r"at least one coefficient",
    ),
    "half a sample": Bad(
        lambda: lw.dwt_max_level(7.5, 2),
        ShapeError,
        ValueError,
        r"a whole number of samples, got 7\.5",
    ),
    "samples in words": Bad(
        lambda: lw.dwt_coeff_len("many", 2, "zero"), ShapeError, ValueError, r"whole number.*'many'"
    ),
    "length zero": Bad(
        lambda: lw.dwt_coeff_len(0, 2, "zero"),
        ShapeError,
        ValueError,
        r"Value of data_len must be greater than zero, got 0",
    ),
    "negative padding": Bad(
        lambda: lw.pad(X, (1, -1), "zero"), ShapeError, ValueError, r"must be >= 0, got \(1, -1\)"
    ),
    "padding of nothing": Bad(
        lambda: lw.pad(np.zeros((2, 0)), 1, "zero"),
        ShapeError,
        ValueError,
        r"cannot extend axis 1 of shape \(2, 0\): it has no samples",
    ),
    "padding of three axes": Bad(
        lambda: lw.pad(X, [(1, 2)] * 3, "zero"), LiftwaveError, ValueError, r"pad_widths"
    ),
}

LEVELS: dict[str, Bad] = {
    "negative": Bad(
        lambda: lw.wavedec(X, "haar", level=-1),
        LevelError,
        ValueError,
        r"Level value of -1 is too low . Minimum level is 0",
    ),
    "negative in wavedec2": Bad(
        lambda: lw.wavedec2(X, "haar", level=-2), LevelError, ValueError, r"-2 is too low"
    ),
    "negative in wavedecn": Bad(
        lambda: lw.wavedecn(X, HAAR, "zero", level=-3), LevelError, ValueError, r"-3 is too low"
    ),
    "half a level of a band": Bad(
        lambda: lw.downcoef("a", LINE, "haar", level=1.5),
        ArgumentTypeError,
        TypeError,
        r"level must be an integer, got 1\.5",
    ),
    "half a sample of a band": Bad(
        lambda: lw.upcoef("a", LINE, "haar", take=2.5),
        ArgumentTypeError,
        TypeError,
        r"take must be an integer, got 2\.5",
    ),
    "a number in fswavedecn": Bad(
        lambda: lw.fswavedecn(1.0, "haar"),
        ShapeError,
        ValueError,
        r"at least 1D input data, got a 0-d array",
    ),
    "negative in fswavedecn": Bad(
        lambda: lw.fswavedecn(X, "haar", levels=(1, -1)), LevelError, ValueError, r"-1 is too low"
    ),
    "negative in decompose": Bad(
        lambda: lw.decompose(X, "haar", -1), LevelError, ValueError, r"-1 is too low"
    ),
    "levels without end": Bad(
        lambda: lw.decompose(X, "haar", 10**20), LevelError, ValueError, "Maximum level is"
    ),
    "negative in shapes": Bad(
        lambda: lw.wavedecn_shapes((8,), "haar", level=-1), LevelError, ValueError, r"-1 is too low"
    ),
    "half": Bad(
        lambda: lw.wavedec(X, "haar", level=1.5),
        LevelError,
        ValueError,
        r"level must be an integer >= 0 or None, got 1\.5",
    ),
    "zero in downcoef": Bad(
        lambda: lw.downcoef("a", LINE, "haar", level=0),
        LevelError,
        ValueError,
        r"Value of level must be greater than 0, got 0",
    ),
    "zero in upcoef": Bad(
        lambda: lw.upcoef("a", LINE, "haar", level=0),
        LevelError,
        ValueError,
        r"greater than 0, got 0",
    ),
    "too many": Bad(
        lambda: lw.fswavedecn(X, "haar", levels=(1, 1, 1)),
        ShapeError,
        ValueError,
        r"levels must match the length of the axes list: got 3 for 2 axes",
    ),
}

COEFFICIENTS: dict[str, Bad] = {
    "no bands": Bad(
        lambda: lw.idwt(None, None, "haar"),
        ShapeError,
        ValueError,
        r"At least one coefficient parameter must be specified",
    ),
    "different lengths": Bad(
        lambda: lw.idwt(LINE, LINE[:3], "haar"),
        ShapeError,
        ValueError,
        r"Coefficients arrays must have the same size: got 4 approximation and 3 detail",
    ),
    "different shapes": Bad(
        lambda: lw.idwt(X, X[:3], "haar"),
        ShapeError,
        ValueError,
        r"must all be of equal size.*'a' and 'd' have shapes \(4, 4\) and \(3, 4\).*axes than 1",
    ),
    "different dimensions": Bad(
        lambda: lw.idwt(X, LINE, "haar"), ShapeError, ValueError, r"matching number of dimensions"
    ),
    "different lengths of lifting": Bad(
        lambda: lw.idwt(LINE, LINE[:2], HAAR, "zero"),
        ShapeError,
        ValueError,
        r"as many approximation as detail coefficients, or one more; got 4 and 2",
    ),
    "more details than approximations": Bad(
        lambda: lw.idwt(LINE[:3], LINE, HAAR, "zero"), ShapeError, ValueError, r"got 3 and 4"
    ),
    "too few": Bad(
        lambda: lw.idwt(LINE, LINE, "db10"),
        ShapeError,
        ValueError,
        r"4 coefficients are too few to synthesise with 20 taps.*at least 10 are required",
    ),
    "none": Bad(
        lambda: lw.idwt(LINE[:0], LINE[:0], "haar"),
        ShapeError,
        ValueError,
        r"0 coefficients are too few: at least one is required",
    ),
    "none under periodization": Bad(
        lambda: lw.idwt(LINE[:0], LINE[:0], "haar", "periodization"),
        ShapeError,
        ValueError,
        r"0 coefficients are too few: at least one is required",
    ),
    "none of lifting": Bad(
        lambda: lw.idwt(LINE[:0], LINE[:0], HAAR, "zero"),
        ShapeError,
        ValueError,
        r"got 0 and 0",
    ),
    "no bands of dwtn": Bad(
        lambda: lw.idwtn({"aa": None}, "haar"),
        ShapeError,
        ValueError,
        r"must contain at least one non-null wavelet band",
    ),
    "strange keys": Bad(
        lambda: lw.idwtn({"ax": X}, "haar"),
        ShapeError,
        ValueError,
        r"invalid keys were found.*\['ax'\]; a key has one letter per axis",
    ),
    "keys of different length": Bad(
        lambda: lw.idwtn({"a": X, "ad": X}, "haar"),
        ShapeError,
        ValueError,
        r"names must have equal length, got \['a', 'ad'\]",
    ),
    "keys that do not fit the axes": Bad(
        lambda: lw.idwtn({"ad": X}, "haar", axes=(0,)),
        ShapeError,
        ValueError,
        r"keys of 2 letters belong to 2 axes, got axes \(0,\)",
    ),
    "too many axes for waverecn": Bad(
        lambda: lw.waverecn([X, {"d": X}], "haar"),
        ShapeError,
        ValueError,
        r"keys of \[1\] letters do not belong to 2 axes; pass the axes",
    ),
    "no list": Bad(
        lambda: lw.waverec(X, "haar"),
        ShapeError,
        ValueError,
        r"Expected sequence of coefficient arrays, got ndarray",
    ),
    "empty list": Bad(
        lambda: lw.waverec([], "haar"),
        ShapeError,
        ValueError,
        r"Coefficient list too short \(minimum 1 arrays required\)",
    ),
    "empty list for waverec2": Bad(
        lambda: lw.waverec2([], "haar"), ShapeError, ValueError, r"Coefficient list too short"
    ),
    "empty list for waverecn": Bad(
        lambda: lw.waverecn([], "haar"), ShapeError, ValueError, r"Coefficient list too short"
    ),
    "only None": Bad(
        lambda: lw.waverec([None, None], "haar"),
        ShapeError,
        ValueError,
        r"At least one coefficient must contain a valid value",
    ),
    "only None in 2-D": Bad(
        lambda: lw.waverec2([None, (None, None, None)], "haar"),
        ShapeError,
        ValueError,
        r"At least one",
    ),
    "dicts for waverec": Bad(
        lambda: lw.waverec([LINE, {"d": LINE}], "haar"),
        ShapeError,
        ValueError,
        r"Unexpected detail coefficient type: <class 'dict'>.*arrays as returned by wavedec\.",
    ),
    "dicts for waverec2": Bad(
        lambda: lw.waverec2([X, DETAILS], "haar"),
        ShapeError,
        ValueError,
        r"3-tuple of arrays as returned",
    ),
    "pairs for waverec2": Bad(
        lambda: lw.waverec2([X, (X, X)], "haar"), ShapeError, ValueError, r"3-tuple of arrays"
    ),
    "tuples for waverecn": Bad(
        lambda: lw.waverecn([X, (X, X, X)], "haar"), ShapeError, ValueError, r"dictionary of arrays"
    ),
    "None for waverecn": Bad(
        lambda: lw.waverecn([X, {**DETAILS, "da": None}], "haar"),
        ShapeError,
        ValueError,
        r"were set to None:\n\['da'\]\nFor multilevel transforms use arrays of zeros",
    ),
    "misfit of levels": Bad(
        lambda: lw.waverec([LINE, LINE[:2]], "haar"),
        ShapeError,
        ValueError,
        r"incompatible coefficient array sizes 4 \(approximation\) and 2 \(detail\)",
    ),
    "misfit within a level": Bad(
        lambda: lw.waverec2([X, (X, X[:2], X)], "haar"),
        ShapeError,
        ValueError,
        r"All detail shapes must be the same length, got \[\(4, 4\), \(2, 4\), \(4, 4\)\]",
    ),
    "misfit of dimensions": Bad(
        lambda: lw.waverec([X, LINE], "haar"),
        ShapeError,
        ValueError,
        r"must have a matching number of dimensions, got \[1, 2\]",
    ),
    "misfit of batches": Bad(
        lambda: lw.waverec([X, X[:2]], "haar"), ShapeError, ValueError, "along other axes than 1"
    ),
    "three bands in 2-D": Bad(
        lambda: lw.idwt2((X, (X, X)), "haar"), LiftwaveError, ValueError, r"\(cA, \(cH, cV, cD\)\)"
    ),
}

PACKING: dict[str, Bad] = {
    "no list": Bad(
        lambda: lw.coeffs_to_array(X), ShapeError, ValueError, r"must be a list of coefficients"
    ),
    "empty list": Bad(
        lambda: lw.ravel_coeffs([]), ShapeError, ValueError, r"must be a list of coefficients"
    ),
    "no approximation": Bad(
        lambda: lw.coeffs_to_array([None, DETAILS]),
        ShapeError,
        ValueError,
        r"the approximation is None",
    ),
    "no array": Bad(
        lambda: lw.coeffs_to_array([[1.0], DETAILS]),
        ShapeError,
        ValueError,
        r"first list element must be an array, got list",
    ),
    "None": Bad(
        lambda: lw.ravel_coeffs([X, (X, None, X)]),
        ShapeError,
        ValueError,
        r"\(None\) are not supported",
    ),
    "pairs": Bad(
        lambda: lw.ravel_coeffs([X, (X, X)]), ShapeError, ValueError, r"expected a 3-tuple.*got 2"
    ),
    "strange level": Bad(
        lambda: lw.ravel_coeffs([X, 7]),
        ShapeError,
        ValueError,
        r"invalid coefficient list: a level is 7",
    ),
    "strange keys": Bad(
        lambda: lw.ravel_coeffs([X, {"xy": X}]),
        ShapeError,
        ValueError,
        r"unexpected letter.*\['xy'\]",
    ),
    "1-D bands of 2-D": Bad(
        lambda: lw.ravel_coeffs([X, X]),
        ShapeError,
        ValueError,
        r"expected a 1D.*got shape \(4, 4\)",
    ),
    "axes left out": Bad(
        lambda: lw.coeffs_to_array(lw.wavedecn(X, "haar", axes=(0,), level=1)),
        ShapeError,
        ValueError,
        r"only a subset of the axes\.  In this case, axes must be specified",
    ),
    "axes too many": Bad(
        lambda: lw.coeffs_to_array([X, DETAILS], axes=(0,)),
        ShapeError,
        ValueError,
        r"length of axes doesn't match.*got axes \(0,\) for keys of 2 letters",
    ),
    "a list in place of a band": Bad(
        lambda: lw.coeffs_to_array([X, (X.tolist(), X, X)]),
        ShapeError,
        ValueError,
        r"band 'da' must be an array, got list",
    ),
    "keys of different lengths": Bad(
        lambda: lw.coeffs_to_array([X, {"dd": X, "d": X}]),
        ShapeError,
        ValueError,
        r"all keys must have 2 letters, got 'd'",
    ),
    "no band of details along all axes": Bad(
        lambda: lw.coeffs_to_array([X, {"da": X, "ad": X}]),
        ShapeError,
        ValueError,
        r"lacks the band 'dd': it has the bands \['da', 'ad'\]",
    ),
    "a band larger than its place": Bad(
        lambda: lw.coeffs_to_array([X[:2, :2], (X[:2, :3], X[:2, :2], X[:2, :2])]),
        ShapeError,
        ValueError,
        r"band 'da' is larger than its place: got shape \(2, 3\), at most \(2, 2\) fits",
    ),
    "a band with fewer axes": Bad(
        lambda: lw.coeffs_to_array([X, (X[0], X, X)]),
        ShapeError,
        ValueError,
        r"band 'da' must have 2 axes, got shape",
    ),
    "gaps": Bad(
        lambda: lw.coeffs_to_array(pywt.wavedec2(X, "db2", level=2), padding=None),
        ShapeError,
        ValueError,
        r"cannot be tightly packed: \d+ coefficients in an array of shape.*pass a padding value",
    ),
    "no slices": Bad(
        lambda: lw.array_to_coeffs(X, []),
        ShapeError,
        ValueError,
        r"empty list of coefficient slices",
    ),
    "no slices to unravel": Bad(
        lambda: lw.unravel_coeffs(LINE, [], []), ShapeError, ValueError, r"empty list of.* slices"
    ),
    "no shapes": Bad(
        lambda: lw.unravel_coeffs(LINE, [slice(4)], []),
        ShapeError,
        ValueError,
        r"empty list of.* shapes",
    ),
    "too few shapes": Bad(
        lambda: lw.unravel_coeffs(LINE, [slice(4), {}], [(4,)]),
        ShapeError,
        ValueError,
        r"unequal length: 1 and 2",
    ),
    "format": Bad(
        lambda: lw.array_to_coeffs(X, [(slice(4),) * 2], "wavedec3"),
        ShapeError,
        ValueError,
        r"Unrecognized output format: 'wavedec3'; use one of 'wavedec'",
    ),
    "size of None": Bad(
        lambda: lw.wavedecn_size([X, {"dd": None}]),
        ShapeError,
        ValueError,
        r"to None is not supported",
    ),
    "other coefficients": Bad(
        lambda: set_coeffs(RESULT, X[:2]),
        ShapeError,
        ValueError,
        r"must match the existing coefficient shape \(4, 4\), got \(2, 4\)",
    ),
    "other approximation": Bad(
        lambda: set_approx(RESULT, X),
        ShapeError,
        ValueError,
        r"does not match the shape.*got \(4, 4\) for a band of shape \(2, 2\)",
    ),
    "axes without slices": Bad(
        lambda: lw.fswaverecn(
            lw.FswavedecnResult(X, [[slice(4)]], ["haar"] * 2, ["zero"] * 2, (0, 1))
        ),
        ShapeError,
        ValueError,
        r"dimension mismatch: 2 axes, 1 slices",
    ),
    "no result": Bad(
        lambda: lw.fswaverecn(X),
        ArgumentTypeError,
        TypeError,
        r"expected the result of fswavedecn, got an object of type ndarray",
    ),
    "one index for two axes": Bad(
        lambda: RESULT[(1,)], ShapeError, ValueError, r"levels must match.*got 1 levels for 2 axes"
    ),
    "negative index": Bad(
        lambda: RESULT[(0, -1)],
        ShapeError,
        ValueError,
        r"tuple of non-negative integers, got \(0, -1\)",
    ),
    "index of letters": Bad(
        lambda: RESULT[("a", "d")], ShapeError, ValueError, r"tuple of non-negative integers"
    ),
    "index too deep": Bad(
        lambda: RESULT[(0, 2)],
        ShapeError,
        ValueError,
        r"exceed the number of transform levels: \(0, 2\)",
    ),
}

OTHERS: dict[str, Bad] = {
    "threshold rule": Bad(
        lambda: lw.threshold(X, 1, "medium"),
        ThresholdError,
        ValueError,
        r"only takes values from: 'garotte', 'garrote', 'greater'.*Got 'medium'",
    ),
    "substitute out of range": Bad(
        lambda: lw.threshold(np.arange(4, dtype="uint8"), 2, "greater", -3),
        ThresholdError,
        ValueError,
        r"substitute=-3 is out of the range of uint8: use a float",
    ),
    "order of complex numbers": Bad(
        lambda: lw.threshold(1j * X, 1, "greater"),
        ThresholdError,
        ValueError,
        r"greater thresholding only supports real data, got complex128",
    ),
    "order of complex numbers again": Bad(
        lambda: lw.threshold(1j * X, 1, "less"),
        ThresholdError,
        ValueError,
        r"less thresholding only",
    ),
    "negative firm threshold": Bad(
        lambda: lw.threshold_firm(X, -1, 2),
        ThresholdError,
        ValueError,
        r"must be non-negative, got -1",
    ),
    "crossed firm thresholds": Bad(
        lambda: lw.threshold_firm(X, 3, 2),
        ThresholdError,
        ValueError,
        r"value_high must be greater than or equal to value_low, got 2 < 3",
    ),
    "kernels": Bad(
        lambda: lw.kernels("fast").__enter__(),
        LiftwaveError,
        ValueError,
        r"unknown kernels 'fast'; available: .*'reference'",
    ),
}

TABLES = {
    "wavelet": WAVELETS,
    "mode and axis": MODES_AND_AXES,
    "size": SIZES,
    "level": LEVELS,
    "coefficients": COEFFICIENTS,
    "packing": PACKING,
    "other": OTHERS,
}
ALL = {f"{table}: {name}": bad for table, each in TABLES.items() for name, bad in each.items()}


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("name", ALL)
def test_error(name: str, request: pytest.FixtureRequest) -> None:
    call, ours, builtin, match = ALL[name]
    if name != "packing: axes left out":  # this needs coefficients first
        request.getfixturevalue("no_work")
    before = [X.tobytes(), LINE.tobytes(), DEEP.tobytes(), RESULT.coeffs.tobytes()]
    with pytest.raises(builtin, match=f"(?s){match}") as caught:
        call()
    assert isinstance(caught.value, ours), f"{type(caught.value)} is no {ours.__name__}"
    assert [X.tobytes(), LINE.tobytes(), DEEP.tobytes(), RESULT.coeffs.tobytes()] == before


def test_classes_are_builtins_too() -> None:
    """Every exception of the package is a LiftwaveError and a builtin exception."""
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if error.__module__ != "liftwave.errors" or error is LiftwaveError:
            continue
        if issubclass(error, Warning):
            assert issubclass(error, UserWarning)
        else:
            assert issubclass(error, LiftwaveError)
            assert issubclass(error, ValueError | TypeError | LookupError | RuntimeError)
    assert issubclass(AxisError, np.exceptions.AxisError)
    assert issubclass(AxisError, ValueError)
    assert issubclass(AxisError, IndexError)


def test_kernels_are_restored_after_an_error() -> None:
    with pytest.raises(WaveletError, match="Unknown"), lw.kernels("reference"):
        lw.dwt(X, "db99")
    assert _dispatch.CHOICE.get() is None


# --- warnings ------------------------------------------------------------------------------------

MISALIGNED = lw.FilterBank(
    pywt.Wavelet("db2").dec_lo, pywt.Wavelet("db2").dec_hi, *pywt.Wavelet("db2").filter_bank[:2]
)

DEEP_CALLS: dict[str, Callable[[], Any]] = {
    "wavedec": lambda: lw.wavedec(X, "db2", level=3),
    "wavedec by lifting": lambda: lw.wavedec(X, HAAR, "zero", level=4),
    "wavedec2": lambda: lw.wavedec2(X, "db2", level=3),
    "wavedecn": lambda: lw.wavedecn(X, "db2", level=3),
    "wavedecn_shapes": lambda: lw.wavedecn_shapes((4, 4), "db2", level=3),
    "fswavedecn": lambda: lw.fswavedecn(X, "db2", levels=(0, 3)),
    "decompose": lambda: lw.decompose(X, "db2", 3),
}

WIDE = np.arange(64.0).reshape(8, 8)
MISALIGNED_CALLS: dict[str, Callable[[Any], Any]] = {
    "dwt": lambda w: lw.dwt(WIDE, w),
    "idwt": lambda w: lw.idwt(WIDE, WIDE, w),
    "dwt2": lambda w: lw.dwt2(WIDE, w),
    "idwt2": lambda w: lw.idwt2((WIDE, (WIDE, WIDE, WIDE)), w),
    "dwtn": lambda w: lw.dwtn(WIDE, w),
    "wavedec": lambda w: lw.wavedec(WIDE, w, level=1),
    "waverec": lambda w: lw.waverec([WIDE, WIDE], w),
    "wavedec2": lambda w: lw.wavedec2(WIDE, w, level=1),
    "waverec2": lambda w: lw.waverec2([WIDE, (WIDE, WIDE, WIDE)], w),
    "wavedecn, once per axis": lambda w: lw.wavedecn(WIDE, (w, w), level=1),
    "waverecn": lambda w: lw.waverecn([WIDE, {"dd": WIDE}], w),
    "wavedecn_shapes": lambda w: lw.wavedecn_shapes((8, 8), w, level=1),
    "fswavedecn": lambda w: lw.fswavedecn(WIDE, w, levels=1),
    "downcoef": lambda w: lw.downcoef("a", LINE, w),
    "upcoef": lambda w: lw.upcoef("a", LINE, w),
    "dwt_max_level": lambda w: lw.dwt_max_level(8, w),
    "dwtn_max_level": lambda w: lw.dwtn_max_level((8, 8), w),
    "dwt_coeff_len": lambda w: lw.dwt_coeff_len(8, w, "zero"),
    "decompose": lambda w: lw.decompose(WIDE, w, 1),
}


def check_one_from_here(record: Any) -> None:
    """One warning, located at the user's line, wherever in the library it is raised."""
    assert {w.filename for w in record} == {__file__}
    assert len(record) == 1, f"the same was said {len(record)} times"


@pytest.mark.parametrize("name", DEEP_CALLS)
def test_too_many_levels_are_warned_of(name: str) -> None:
    message = r"Level value of \d is too high: all coefficients will experience boundary effects"
    with pytest.warns(LevelWarning, match=message) as record:
        DEEP_CALLS[name]()
    check_one_from_here(record)


def test_useful_levels_are_not_warned_of() -> None:
    for n in (8, 33, 64):
        for wavelet in ("haar", "db2", "bior4.4", HAAR):
            level = lw.dwt_max_level(n, wavelet)
            assert len(lw.wavedec(np.ones(n), wavelet, "zero", level)) == level + 1
            with pytest.warns(LevelWarning, match=rf"\(up to level {level} some do not\)"):
                lw.wavedec(np.ones(n), wavelet, "zero", level + 1)


@pytest.mark.parametrize("name", MISALIGNED_CALLS)
def test_banks_that_do_not_reconstruct_are_warned_of(name: str) -> None:
    """The warning contains the error, the largest coefficient of distortion and aliasing."""
    size = MISALIGNED.reconstruction_error()
    assert size > 0.1
    message = rf"does not reconstruct perfectly.*synthesis is {size:.3g}\. Check the align"
    custom = pywt.Wavelet("custom", filter_bank=MISALIGNED.filter_bank)
    for bank in (MISALIGNED, custom):
        with pytest.warns(ReconstructionWarning, match=message) as record:
            MISALIGNED_CALLS[name](bank)
        check_one_from_here(record)


def test_the_error_of_a_bank_is_how_far_it_misses() -> None:
    """Haar with doubled synthesis filters reconstructs twice the signal: 2 instead of 1."""
    s = 0.5**0.5
    doubled = lw.FilterBank([s, s], [-s, s], [2 * s, 2 * s], [2 * s, -2 * s])
    assert doubled.reconstruction_error() == pytest.approx(2.0)
    aliased = lw.FilterBank([s, s], [-s, s], [s, s], [-s, s])
    assert aliased.reconstruction_error() == pytest.approx(2.0)


def test_good_banks_are_not_warned_of() -> None:
    """(Warnings are errors in this suite.) Names do not warn either, with any table."""
    for name in ("haar", "db7", "sym20", "bior4.4", "rbio3.1"):
        filters = pywt.Wavelet(name).filter_bank
        lw.dwt(X, lw.FilterBank(*filters))
        lw.dwt(X, pywt.Wavelet("custom", filter_bank=filters))
    lw.dwt(X, "dmey")
    lw.dwt(X, pywt.Wavelet("dmey"))
    learned = lw.FilterBank(*[torch.ones(3)] * 4)
    lw.dwt(torch.ones(4), learned)


def test_warnings_find_callers_with_similar_paths(tmp_path: Path) -> None:
    """A script beside the package with a similar name is a caller, too."""
    beside = str(Path(lw.__file__).parent) + "_demo.py"
    code = "def run(lw):\n    lw.wavedec([1.0, 2.0], 'db4', level=2)\n"
    scope: dict[str, Any] = {}
    exec(compile(code, beside, "exec"), scope)
    with pytest.warns(LevelWarning, match="too high") as record:
        scope["run"](lw)
    assert {w.filename for w in record} == {beside}


def test_old_mode_names_are_warned_of_where_they_are_used() -> None:
    """PyWavelets still accepts its short names, and so does liftwave."""
    with pytest.warns(DeprecationWarning, match="per has been renamed to periodization") as record:
        cA, _ = lw.dwt(X, "haar", "per")
    assert cA.tolist() == lw.dwt(X, "haar", "periodization")[0].tolist()
    check_one_from_here(record)


def test_assignments_that_change_a_dtype_are_warned_of() -> None:
    result = lw.fswavedecn(X, "haar", levels=1)
    with pytest.warns(
        UserWarning, match="dtype mismatch:  converting the provided.*float64"
    ) as record:
        result[(1, 1)] = np.zeros((2, 2), dtype="float32")
    check_one_from_here(record)
    with pytest.warns(UserWarning, match="dtype mismatch") as record:
        result.approx = np.zeros((2, 2), dtype="int64")
    check_one_from_here(record)


def test_modes_are_those_of_pywavelets() -> None:
    """(The messages above list them.)"""
    assert lw.Modes.modes == MODES


# --- whole numbers -------------------------------------------------------------------------------

WHOLE: dict[str, Callable[[Any, Any], Any]] = {
    "level": lambda m, two: m.downcoef("a", DEEP, "haar", level=two),
    "level of upcoef": lambda m, two: m.upcoef("d", DEEP, "haar", two),
    "take": lambda m, two: m.upcoef("d", DEEP, "haar", take=two),
    "axis": lambda m, two: m.dwt(np.ones((3, 4, 5)), "haar", axis=two)[0],
    "axis of idwt": lambda m, two: m.idwt(np.ones((3, 4, 5)), None, "haar", axis=two),
    "axes": lambda m, two: m.dwt2(np.ones((3, 4, 5)), "haar", axes=(two, 0))[0],
    "length": lambda m, two: np.array(m.dwt_coeff_len(two, two, "zero")),
    "max_level": lambda m, two: np.array(m.dwt_max_level(two, 2)),
    "shape": lambda m, two: np.array(m.dwtn_max_level((8 * two, 16), "haar")),
    "width": lambda m, two: m.pad(DEEP, two, "symmetric"),
}
# PyWavelets refuses floats here.
WHOLE_HERE: dict[str, Callable[[Any, Any], Any]] = {
    "level of wavedec": lambda m, two: m.wavedec(np.ones(16), "haar", level=two)[0],
    "level of wavedec2": lambda m, two: m.wavedec2(np.ones((16, 16)), "haar", level=two)[0],
    "level of wavedecn": lambda m, two: m.wavedecn(np.ones((16, 16)), "haar", level=two)[0],
    "levels": lambda m, two: m.fswavedecn(np.ones((8, 8)), "haar", levels=(two, 1)).coeffs,
    "axis of wavedec": lambda m, two: m.wavedec(np.ones((3, 4, 5)), "haar", axis=two, level=1)[0],
    "axes of wavedecn": lambda m, two: m.wavedecn(np.ones((3, 4, 5)), "haar", axes=two, level=1)[0],
    "level of shapes": lambda m, two: np.array(m.wavedecn_shapes((8,), "haar", level=two)[0]),
}


@pytest.mark.parametrize("two", [2.0, np.float64(2), np.float32(2), np.int8(2)])
@pytest.mark.parametrize("name", [*WHOLE, *WHOLE_HERE])
def test_floats_without_a_fraction_are_whole_numbers(name: str, two: Any) -> None:
    call = {**WHOLE, **WHOLE_HERE}[name]
    expected = call(pywt, two if name in WHOLE else 2)
    np.testing.assert_allclose(call(lw, two), expected, rtol=1e-12)


@pytest.mark.parametrize("bad", [1.5, "2", np.nan, np.inf, 2j, object()])
@pytest.mark.parametrize("name", [name for name in (*WHOLE, *WHOLE_HERE) if name != "shape"])
def test_other_objects_are_not_whole_numbers(name: str, bad: Any) -> None:
    if name == "width" and bad == 1.5:
        return  # rounded, as in PyWavelets
    call = {**WHOLE, **WHOLE_HERE}[name]
    with pytest.raises(LiftwaveError) as caught:
        call(lw, bad)
    assert isinstance(caught.value, TypeError)


def test_numbers_of_threads_and_dimensions_are_whole() -> None:
    before = lw.get_num_threads()
    lw.set_num_threads(np.float64(before))
    assert lw.get_num_threads() == before
    for bad in ("two", 1.5, None):
        with pytest.raises(ArgumentTypeError, match="the number of threads must be an integer"):
            lw.set_num_threads(bad)
    with pytest.raises(ThreadsError, match="must be from 1 to 2147483647, got 0"):
        lw.set_num_threads(0)


def test_names_of_schemes_are_no_steps() -> None:
    with pytest.raises(ArgumentTypeError, match=r"got 'db4': LiftingScheme\.from_name returns"):
        lw.LiftingScheme("db4")
