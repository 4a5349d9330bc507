"""Wavelet transforms as transformers of scikit-learn, for pipelines and searches of parameters.

A row of ``X`` is a signal, or with ``shape`` an image or a volume. All transformers obey
scikit-learn's conventions: they can be cloned, name their features, and support ``set_output``.
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ModuleNotFoundError(
        "liftwave.sklearn needs scikit-learn, which is not installed: "
        "pip install 'liftwave[sklearn]'",
        name="sklearn",
    ) from error

from liftwave.sklearn.coefficients import WaveletTransformer
from liftwave.sklearn.denoising import WaveletDenoiser
from liftwave.sklearn.features import WaveletFeatures
from liftwave.sklearn.scattering import ScatteringTransformer

__all__ = [
    "ScatteringTransformer",
    "WaveletDenoiser",
    "WaveletFeatures",
    "WaveletTransformer",
]
