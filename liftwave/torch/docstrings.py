"""Docstrings of layers that exist for one, two and three dimensions.

Each family of layers has one template. Each class has its summary in its source, where editors
find it, and :func:`documented` appends the sections of the template.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from string import Template
from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", bound=type[nn.Module])

WORDS: dict[int, dict[str, str]] = {
    1: {
        "shape": "(C, L) or (N, C, L)",
        "size": "int or (int,)",
        "lengths": "ceil(L / 2)",
        "sizes": "8, 3, 32",
        "pooled": "8, 3, 16",
        "windows": "16,",
        "odd": "8, 3, 101",
        "halved": "8, 3, 51",
        "concatenated": "8, 6, 51",
        "low": "L",
        "bands": "``L`` and ``H``",
        "transform": "wavedec",
        "inverse": "waverec",
        "undecimated": "swt",
        "undecimated_inverse": "iswt",
        "packets": "(C, 2**level, n) or (N, C, 2**level, n)",
        "split": "8, 3, 4, 8",
        "split_axes": "-1",
        "names": "",
        "per_axis": "",
        "mode": "str",
        "coefficients": "``[cA_n, cD_n, …, cD_1]``",
        "missing": "``None`` counts as zero, for any band.",
        "one_level": "cA, cD",
        "details": "tuple(cD.shape)",
        "details_result": "(8, 3, 16)",
    },
    2: {
        "shape": "(C, H, W) or (N, C, H, W)",
        "size": "int or (int, int)",
        "lengths": "ceil(H / 2) times ceil(W / 2)",
        "sizes": "8, 3, 32, 32",
        "pooled": "8, 3, 16, 16",
        "windows": "16, 16",
        "odd": "8, 3, 31, 32",
        "halved": "8, 3, 16, 16",
        "concatenated": "8, 12, 16, 16",
        "low": "LL",
        "bands": "``LL``, ``LH``, ``HL``, ``HH`` (the letter of the width first)",
        "transform": "wavedec2",
        "inverse": "waverec2",
        "undecimated": "swt2",
        "undecimated_inverse": "iswt2",
        "packets": "(C, 2**level, 2**level, h, w) or (N, C, 2**level, 2**level, h, w)",
        "split": "8, 3, 4, 4, 8, 8",
        "split_axes": "(-2, -1)",
        "names": "\n``cA, cH, cV, cD`` are LL, LH, HL, HH with the filter along W named first.",
        "per_axis": "\n    A pair of fixed wavelets has one for H and one for W.",
        "mode": "str or (str, str)",
        "coefficients": "``[cA_n, (cH_n, cV_n, cD_n), …, (cH_1, cV_1, cD_1)]``",
        "missing": "``None`` counts as zero, for a band or for all details of a level.",
        "one_level": "cA, (cH, cV, cD)",
        "details": "tuple(cD.shape)",
        "details_result": "(8, 3, 16, 16)",
    },
    3: {
        "shape": "(C, D, H, W) or (N, C, D, H, W)",
        "size": "int or (int, int, int)",
        "lengths": "ceil(D / 2) times ceil(H / 2) times ceil(W / 2)",
        "sizes": "2, 3, 8, 8, 8",
        "pooled": "2, 3, 4, 4, 4",
        "windows": "4, 4, 4",
        "odd": "2, 3, 4, 6, 7",
        "halved": "2, 3, 2, 3, 4",
        "concatenated": "2, 24, 2, 3, 4",
        "low": "LLL",
        "bands": "``LLL`` to ``HHH`` (letters of the width, the height, the depth)",
        "transform": "wavedecn",
        "inverse": "waverecn",
        "undecimated": "swtn",
        "undecimated_inverse": "iswtn",
        "names": "\nKeys have one letter per axis, for D, H and W.",
        "per_axis": "\n    Three fixed wavelets are for D, H and W.",
        "mode": "str or (str, str, str)",
        "coefficients": "``[cA_n, {'aad': …, 'ddd': …}, …, {'aad': …, 'ddd': …}]``",
        "missing": "Keys that are missing in the details of a level count as zero.",
        "one_level": "cA, details",
        "details": "sorted(details)",
        "details_result": "['aad', 'ada', 'add', 'daa', 'dad', 'dda', 'ddd']",
    },
}
"""The values of template words such as ``$shape``, by number of dimensions."""


PARTS: dict[str, str] = {
    "window_parameters": """
        kernel_size : $size
            Size of the windows; tuples have one number per axis.
        stride : $size, optional
            Distance between windows; their size by default.
        padding : $size, optional
            How far windows extend beyond the ends; at most half of ``kernel_size``. No samples
            are added: a region consists of the samples inside the signal.
        dilation : $size, optional
            Distance between samples of a window.
        ceil_mode : bool, optional
            Whether to keep windows that extend beyond the end.
        """,
    "per_channel": """
        per_channel : bool, optional
            Compare each channel separately, or the vectors of all channels.
        """,
    "window_notes": """
        Input: shape $shape.
        The output has one sample per window. Half precision is computed in float32 and returned
        in half precision.
        """,
    "band_notes": """
        Call it with the bands: a dict by name (missing bands are zero), a sequence of all bands,
        or one tensor with the bands along its channels (``output="concat"``). Pass
        ``output_size=x.shape[-$d:]`` if a length can be odd. A decoder can replace ``$low``.
        """,
    "wavelet_parameters": """
        wavelet : str, pywt.Wavelet, FilterBank, LiftingScheme or LearnableWavelet
            The wavelet, in any form that the functions accept; ``"$default"`` by default. A
            :class:`LearnableWavelet` is shared with other modules that hold it.$per_axis
        level : int, optional
            Number of levels; 1 by default.
        """,
    "mode_parameter": """
        mode : $mode, optional
            Boundary mode of all axes, or of each; ``"symmetric"`` by default.
        """,
    "learn_parameters": """
        learn : {None, "orthonormal", "linear-phase", "lifting", "filters"}, optional
            The learned parameters, with ``wavelet`` as initial value: none; the angles of an
            :class:`OrthonormalWavelet`; the taps of a :class:`LinearPhaseWavelet` or of a
            :class:`LiftingWavelet`; the filters of a :class:`FiltersWavelet`, whose penalties
            :func:`auxiliary_loss` sums. All channels, axes and levels share one wavelet.
        random : bool, optional
            Whether initial values are random, under the constraint and with the sizes of
            ``wavelet``.
        device, dtype : optional
            Device and dtype of the parameters; torch's defaults if not given.
        """,
    "factory_parameters": """
        device, dtype : optional
            Device and dtype of the parameters; torch's defaults if not given.
        """,
    "output_parameter": """
        output : {"list", "concat", "stack"}, optional
            The form of the coefficients: a list (default), one tensor with all bands along the
            channels (all channels of the first band, then those of the second), or one tensor
            with the bands along a new axis after the channels. With one tensor the layer can be a
            step of ``torch.nn.Sequential``. It needs bands of one size.
        """,
    "groups_parameter": """
        groups : int, optional
            Number of groups of consecutive channels, each with its own learned wavelet. Pass the
            number of channels to learn one wavelet per channel. Each group is a separate
            transform.
        """,
    "transform_notes": """
        Half precision is computed in float32 and returned in half precision. Autocast has no
        effect.

        A fixed wavelet is a constant of full precision: it has no parameters and no entries in
        ``state_dict``.
        """,
}
"""Texts that several templates share, as words of these."""


def documented(template: str, **words: str) -> Callable[[Layer], Layer]:
    """Decorate a layer of a family: append the sections of a template to its summary.

    Parameters
    ----------
    template : str
        Sections of numpydoc. ``$d`` is the number of dimensions of the layer and ``$layer`` its
        name. Other words are those of :data:`PARTS`, :data:`WORDS` and ``words``.
    **words : str
        Words of the family.
    """
    parts = {name: cleandoc(text) for name, text in PARTS.items()}
    text = Template(cleandoc(template)).safe_substitute(parts)

    def decorate(layer: Layer) -> Layer:
        if layer.__doc__ is not None:  # python -OO has none
            dimensions: int = vars(layer)["dimensions"]
            own = {"d": str(dimensions), "layer": layer.__name__, "default": "haar"}
            sections = Template(text).substitute(WORDS[dimensions] | own | words)
            layer.__doc__ = f"{cleandoc(layer.__doc__)}\n\n{sections}\n"
        return layer

    return decorate
