"""Valid arguments of everything public in the continuous transform."""

from __future__ import annotations

import numpy as np
from argument_kinds import Case, cases

import liftwave as lw

LINE = np.cos(np.arange(16.0))
WAVELETS = lw.Morse(), lw.Morlet(), lw.Paul(), lw.GaussianDerivative(), lw.Bump()

ROWS = {"voices": 4, "frequencies": None, "limits": "full", "norm": "amplitude"}
COLUMNS = {"mode": "symmetric", "axis": -1}

UNITS = {"unit": "V", "time_unit": "s", "period": True}

_ours = cases(lw, "")
S = lw.scalogram(LINE, voices=4)
_object = cases(S, "Scalogram.")
_cross = cases(lw.cross_scalogram(LINE, LINE), "CrossScalogram.")
_squeezed = cases(S.synchrosqueeze(), "Synchrosqueezed.")

OURS: dict[str, Case] = dict(
    (
        _ours("Morse", 3.0, 20.0),
        _ours("Morlet", 6.0, zero_mean=False),
        _ours("Paul", 4.0),
        _ours("GaussianDerivative", 2),
        _ours("Bump", 5.0, 0.6),
        *((f"{type(w).__name__}.__eq__", Case(w.__eq__, (w,))) for w in WAVELETS),
        _ours(
            *("scalogram", LINE, 2.0, "morse(3, 20)"),
            **ROWS,
            **{**COLUMNS, "rate": None, "invertible": False},
        ),
        _object("replace", S.coefficients, None),
        _object("inverse", (0.1, 0.2), method="exact"),
        _object("ridges", 1, penalty=400.0, width=0.5),
        _object("synchrosqueeze", 1e-6),
        # All pictures have one method.
        ("Coherence.plot", Case(S.plot, ("title",), {"ridges": S.ridges(), "level": 0.9, **UNITS})),
        _object("marginal", (0.1, 0.2)),
        _object("significance", 0.95, of="power", ar1=0.5, band=(0.1, 0.2)),
        _ours(
            *("cross_scalogram", LINE, LINE, 2.0, "morlet(6)"),
            **{**ROWS, **COLUMNS, "norm": "energy"},
        ),
        _ours(
            *("wavelet_coherence", LINE, LINE, 2.0, "morlet(6)"),
            **{k: ROWS[k] for k in ("voices", "frequencies", "limits")},
            **{**COLUMNS, "level": 0.95, "surrogates": 2, "seed": 0},
        ),
        _ours("scattering1d", LINE, 2, 1, order=2, average=True, axis=-1),
        _ours("scattering2d", np.eye(8), 1, 2, order=2, average=True, axes=(-2, -1)),
        _cross("significance", 0.95),
        ("gradients.ScalogramGradient", Case(lw.gradients.ScalogramGradient, (LINE, LINE, {}))),
        ("vjp(scalogram)", Case(lw.vjp(lw.scalogram, LINE, voices=4)[1], (S.coefficients,))),
        _squeezed("inverse", (0.1, 0.2)),
    )
)
