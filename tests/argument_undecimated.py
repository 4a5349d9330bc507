"""Valid arguments of everything public in undecimated transforms."""

from __future__ import annotations

import numpy as np
import pywt
from argument_kinds import Case, cases

import liftwave as lw

LINE, IMAGE = np.arange(8.0), np.arange(16.0).reshape(4, 4)
PERIODIC = {"mode": "periodization"}

_ours = cases(lw, "")

# Functions that PyWavelets has, too; the mode is ours.
SHARED: dict[str, Case] = dict(
    (
        _ours(
            *("swt", LINE, "haar", 1, 0, -1, False, False),
            **PERIODIC,
            out=lw.swt(LINE, "haar", 1),
        ),
        _ours("iswt", pywt.swt(LINE, "haar", 2), "haar", False, -1, **PERIODIC, out=LINE.copy()),
        _ours(
            *("swt2", IMAGE, "haar", 1, 0, (-2, -1), False, False),
            **PERIODIC,
            out=lw.swt2(IMAGE, "haar", 1),
        ),
        _ours(
            *("iswt2", pywt.swt2(IMAGE, "haar", 1), "haar", False, (-2, -1)),
            **PERIODIC,
            out=IMAGE.copy(),
        ),
        _ours(
            *("swtn", IMAGE, "haar", 1, 0, None, False, False),
            **PERIODIC,
            out=lw.swtn(IMAGE, "haar", 1),
        ),
        _ours(
            *("iswtn", pywt.swtn(IMAGE, "haar", 1), "haar", None, False),
            **PERIODIC,
            out=IMAGE.copy(),
        ),
        _ours("swt_max_level", 8),
        _ours("mra", LINE, "haar", 1, -1, "swt", "periodization"),
        _ours("imra", pywt.mra(LINE, "haar", 2)),
        _ours("mra2", IMAGE, "haar", 1, (-2, -1), "swt2", "periodization", levels_only=True),
        _ours("imra2", pywt.mra2(IMAGE, "haar", 1)),
        _ours("mran", IMAGE, "haar", 1, None, "swtn", "periodization", levels_only=True),
        _ours("imran", pywt.mran(IMAGE, "haar", 1)),
    )
)

T = lw.dtcwt(LINE, 1)
_tree = cases(T, "DualTree.")
U = lw.undecimated(LINE, "haar", 1)
_object = cases(U, "Undecimated.")
_estimate = {"mode": "periodic", "estimator": "unbiased", "confidence": 0.95}
OURS: dict[str, Case] = dict(
    (
        _ours("modwt", LINE, "haar", 1, -1, "reflection", out=[np.zeros(16), np.zeros(16)]),
        _ours("imodwt", lw.modwt(LINE, "haar", 2), "haar", -1, "periodic", out=LINE.copy()),
        _ours("modwt_mra", LINE, "haar", 1, -1, "periodic"),
        _ours("modwt_shifts", "haar", 2),
        _ours("undecimated", LINE, "haar", 1, "reflection", 0, transform="modwt", norm=False),
        _ours("dtcwt", LINE, 1, "cdf5.3", "q10", 0),
        _tree("map", lambda bands: 2 * bands),
        _tree("__getitem__", 1),
        _tree("plot", "title"),
        _object("variance", estimator="unbiased", interval="chi2eta1", confidence=0.95),
        _object("from_array", U.to_array()),
        _object("plot", "title", components=True, spacing=0.5, unit="s"),
        _ours("wavelet_variance", LINE, "haar", 1, -1, interval="chi2", **_estimate),
        _ours("wavelet_covariance", LINE, LINE, "haar", 1, -1, **_estimate),
        _ours("wavelet_correlation", LINE, LINE, "haar", 1, -1, **_estimate),
    )
)
