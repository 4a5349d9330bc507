"""Valid arguments of everything public for scikit-learn and xarray."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
from argument_kinds import Case, cases

from liftwave import sklearn

ROWS = np.cos(np.arange(48.0)).reshape(3, 16)


def _sklearn() -> Iterator[tuple[str, Case]]:
    line = cases(sklearn, "sklearn.")
    yield line("WaveletTransformer", "haar", 1, "symmetric", (4, 4))
    yield line("WaveletFeatures", "haar", 1, "symmetric", ["energy"], (4, 4))
    options = {"sigma": 0.5, "level": 1, "mode": "symmetric", "shifts": 1, "missing": "raise"}
    yield line("WaveletDenoiser", "haar", "bayes", "dwt", "soft", **options, shape=(4, 4))
    yield line("ScatteringTransformer", 1, 1, 2, 1, (4, 4))
    scattering = sklearn.ScatteringTransformer().fit(ROWS)
    methods = cases(scattering, "sklearn.ScatteringTransformer.")
    yield methods("fit", ROWS, None)
    yield methods("transform", ROWS)
    yield methods("get_feature_names_out", None)
    wavelets = sklearn.WaveletTransformer("haar", 2).fit(ROWS)
    yield cases(wavelets, "sklearn.WaveletTransformer.")("inverse_transform", ROWS)


def _xarray() -> Iterator[tuple[str, Case]]:
    import xarray as xr

    import liftwave.xarray as lx

    array = xr.DataArray(ROWS, dims=("place", "time"))
    line, methods = cases(lx, "xarray."), cases(array.wavelet, "xarray.ArrayWavelets.")
    yield line("ArrayWavelets", array)
    yield methods("decompose", "haar", 1, "symmetric", dim="time")
    yield line("TreeWavelets", array.wavelet.decompose("haar"))


NEIGHBOURS: dict[str, Case] = dict(
    [*_sklearn(), *(_xarray() if importlib.util.find_spec("xarray") else ())]
)
