"""Valid arguments of everything public except pooling, constraints and layers.

A key is the path of a function, class or method below ``liftwave``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pywt
from argument_kinds import Case, cases

import liftwave as lw
from liftwave import gradients
from liftwave.operators import WaveletOperator

# --- functions that PyWavelets has, too ----------------------------------------------------------

LINE, IMAGE = np.arange(8.0), np.arange(16.0).reshape(4, 4)
WAVEDECN = pywt.wavedecn(IMAGE, "haar", level=1)
PACKED, FLAT = pywt.coeffs_to_array(WAVEDECN), pywt.ravel_coeffs(WAVEDECN)


def _memory(count: int, *shape: int) -> tuple[np.ndarray, ...]:
    """Arrays for results."""
    return tuple(np.zeros((count, *shape)))


_ours = cases(lw, "")
SHARED: dict[str, Case] = dict(
    (
        _ours("dwt", LINE, "haar", "symmetric", -1, out=_memory(2, 4), dtype=None),
        _ours("idwt", LINE, LINE, "haar", "symmetric", -1, out=np.zeros(16)),
        _ours(
            *("dwt2", IMAGE, "haar", "symmetric", (-2, -1)),
            out=(np.eye(2), _memory(3, 2, 2)),
            dtype=None,
        ),
        _ours("idwt2", (IMAGE, (IMAGE,) * 3), "haar", "symmetric", (-2, -1), out=np.eye(8)),
        _ours(
            *("dwtn", IMAGE, "haar", "symmetric", None),
            out=dict(zip(("aa", "ad", "da", "dd"), _memory(4, 2, 2), strict=True)),
            dtype=None,
        ),
        _ours("idwtn", {"aa": IMAGE, "dd": IMAGE}, "haar", "symmetric", None, out=np.eye(8)),
        _ours("downcoef", "a", LINE, "haar", "symmetric", 1, out=np.zeros(4)),
        _ours("upcoef", "a", LINE, "haar", 1, 0),
        _ours("wavedec", LINE, "haar", "symmetric", 1, -1, out=list(_memory(2, 4)), dtype=None),
        _ours(
            *("waverec", pywt.wavedec(LINE, "haar", level=2), "haar", "symmetric", -1),
            out=np.zeros(8),
        ),
        _ours(
            *("wavedec2", IMAGE, "haar", "symmetric", 1, (-2, -1)),
            out=[np.eye(2), _memory(3, 2, 2)],
            dtype=None,
        ),
        _ours(
            *("waverec2", pywt.wavedec2(IMAGE, "haar", level=1), "haar", "symmetric", (-2, -1)),
            out=np.eye(4),
        ),
        _ours(
            *("wavedecn", IMAGE, "haar", "symmetric", 1, None),
            out=lw.wavedecn(IMAGE, "haar", level=1),
            dtype=None,
        ),
        _ours("waverecn", WAVEDECN, "haar", "symmetric", None, out=np.eye(4)),
        _ours("fswavedecn", IMAGE, "haar", "symmetric", 1, None, out=None),
        _ours("fswaverecn", pywt.fswavedecn(IMAGE, "haar")),
        _ours("coeffs_to_array", WAVEDECN, 0, None),
        _ours("array_to_coeffs", *PACKED, "wavedecn"),
        _ours("ravel_coeffs", WAVEDECN, None),
        _ours("unravel_coeffs", *FLAT, "wavedecn"),
        _ours("wavedecn_shapes", (8, 8), "haar", "symmetric", 1, None),
        _ours("wavedecn_size", pywt.wavedecn_shapes((8, 8), "haar")),
        _ours("dwt_max_level", 8, 2),
        _ours("dwtn_max_level", (8, 8), "haar", None),
        _ours("dwt_coeff_len", 8, 2, "symmetric"),
        _ours("pad", LINE, 2, "symmetric"),
        _ours("threshold", LINE, 1.0, "soft", 0),
        _ours("threshold_firm", LINE, 1.0, 2.0),
        _ours("Wavelet", "haar", None),
        _ours("families", True),
        _ours(
            *("FswavedecnResult", IMAGE, [[slice(2), slice(2, 4)]] * 2),
            *(["haar"] * 2, ["zero"] * 2, (0, 1)),
        ),
    )
)

# --- other functions -----------------------------------------------------------------------------

SCHEME, BANK = lw.LiftingScheme.from_name("cdf5.3"), lw.FilterBank(*pywt.Wavelet("db2").filter_bank)
D, RESULT = lw.decompose(IMAGE, "haar", level=1), lw.fswavedecn(IMAGE, "haar", levels=1)
OPERATOR = WaveletOperator((8,), "haar", level=1)
BANK_GRADIENT = gradients.FilterBankGradient(*(np.ones(2),) * 4)
LIFTING_GRADIENT = gradients.LiftingGradient((np.ones(2),), np.ones(2))


_step, _scheme = cases(SCHEME.steps[0], "LiftingStep."), cases(lw.LiftingScheme, "LiftingScheme.")
STORED = Path(tempfile.mkdtemp()) / "d.npz"
D.save(STORED)
_bands, _result = cases(D, "Decomposition."), cases(RESULT, "FswavedecnResult.")
_operator, _gradient = cases(OPERATOR, "operators.WaveletOperator."), cases(gradients, "gradients.")


def _pullbacks() -> Iterator[tuple[str, Case]]:
    """Pullbacks of each kind of function."""
    two, window = np.ones((1, 2, 2)), (np.ones((1, 4, 4)), 2)
    calls = {
        "dwt": ((lw.dwt, LINE, "haar"), (LINE[:4], LINE[:4]), True),
        "waverec2": ((lw.waverec2, lw.wavedec2(IMAGE, "haar", level=1), "haar"), IMAGE, True),
        "fswavedecn": ((lw.fswavedecn, IMAGE, "haar", "zero", 1), IMAGE, True),
        "fswaverecn": ((lw.fswaverecn, RESULT), IMAGE, True),
        "threshold": ((lw.threshold, LINE, 1.0), LINE),
        "soft_pool": ((lw.pooling.soft_pool, *window), two),
        "max_pool": ((lw.pooling.max_pool, *window), two),
    }
    for name, (arguments, *cotangents) in calls.items():
        yield f"vjp({name})", Case(lw.vjp(*arguments)[1], tuple(cotangents))


_TIME = {"wavelet": "haar", "axis": -1, "mode": "periodic", "missing": "raise"}

OURS: dict[str, Case] = dict(
    (
        _ours("FilterBank", *[[1.0, 1.0]] * 4, "name"),
        ("FilterBank.__eq__", Case(BANK.__eq__, (BANK,))),
        _ours("LiftingStep", "predict", [-1.0], 0),
        _step("moved", 1),
        _step("scaled", 2.0),
        _step("__eq__", SCHEME.steps[0]),
        _ours("LiftingScheme", SCHEME.steps, (1.0, 1.0), "name", (0, 0), False, origin=None),
        _scheme("from_name", "haar"),
        _scheme("from_wavelet", "haar"),
        _scheme("from_filter_bank", BANK),
        _scheme("fixed_point", SCHEME.steps[0]),
        ("LiftingScheme.__eq__", Case(SCHEME.__eq__, (SCHEME,))),
        ("kernels", Case(lambda name: lw.kernels(name).__enter__(), ("reference",))),
        _ours("set_num_threads", lw.get_num_threads()),
        _ours("set_reused_memory", lw.get_reused_memory()),
        _ours("vjp", lw.dwt, LINE, "haar", mode="symmetric"),
        _ours(
            *("decompose", IMAGE, "haar", 1, "symmetric", None),
            out=lw.decompose(IMAGE, "haar", 1),
            dtype=None,
        ),
        _ours(
            "denoise",
            LINE,
            "haar",
            method="bayes",
            transform="dwt",
            rule="soft",
            sigma=None,
            level=1,
            mode="symmetric",
            axes=None,
            shifts=1,
            missing="raise",
            vst="anscombe",
            gain=2.0,
            read_noise=1.0,
            channel_axis=None,
        ),
        _ours("estimate_sigma", LINE, "haar", mode="symmetric", axes=None, missing="raise"),
        _ours("remove_trend", LINE, 0.2, 1.0, **_TIME),
        _ours("frequency_band", LINE, (0.1, 0.3), 1.0, drop=False, **_TIME),
        _bands("__getitem__", (1, "dd")),
        _bands("__contains__", (1, "dd")),
        _bands("__add__", D),
        _bands("__sub__", D),
        _bands("__mul__", 2.0),
        _bands("__rmul__", 2.0),
        _bands("__truediv__", 2.0),
        _bands("__eq__", D),
        _bands("allclose", D, 1e-5, 1e-8),
        _bands("from_array", D.to_array()),
        _bands("from_pywt", WAVEDECN, "haar", "symmetric", None, (4, 4)),
        _bands("keep_largest", 0.5),
        _bands("load", STORED, like=LINE, large=False),
        _bands("map", np.abs),
        _bands("plot", "title"),
        _bands("replace", {(1, "dd"): D[1, "dd"]}),
        _bands("save", STORED, zstd=False),
        _bands("threshold", 1.0, "soft", 0),
        _result("__getitem__", (0, 1)),
        _result("__setitem__", (0, 1), np.ones((2, 2))),
        ("FswavedecnResult.coeffs", Case(lambda c: setattr(RESULT, "coeffs", c), (RESULT.coeffs,))),
        ("FswavedecnResult.approx", Case(lambda a: setattr(RESULT, "approx", a), (RESULT.approx,))),
        _gradient("FilterBankGradient", *(np.ones(2),) * 4),
        ("gradients.FilterBankGradient.__add__", Case(BANK_GRADIENT.__add__, (BANK_GRADIENT,))),
        _gradient("LiftingGradient", (np.ones(2),), np.ones(2)),
        ("gradients.LiftingGradient.__add__", Case(LIFTING_GRADIENT.__add__, (LIFTING_GRADIENT,))),
        _gradient("Gradient", LINE, None),
        _gradient("PoolingGradient", LINE, {}),
        _gradient("ThresholdGradient", LINE, 1.0),
        (
            "operators.WaveletOperator",
            Case(WaveletOperator, ((8,), "haar", "symmetric", 1, None, np.float64)),
        ),
        _operator("ravel", pywt.wavedecn(LINE, "haar", level=1)),
        _operator("unravel", LINE, "wavedecn"),
        *_pullbacks(),
    )
)
