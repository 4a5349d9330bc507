"""The common parts of layers of transforms: arguments, checks, representations, inverses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor

from liftwave._numbers import flag, is_one_of, positive_number
from liftwave._plan.arguments import modes_per_axis, natural_level
from liftwave._plan.lift_pool import band_names
from liftwave._typing import Modes
from liftwave.errors import CoefficientsError, LevelError, OptionError, ShapeError, WaveletError
from liftwave.torch._typing import Learning
from liftwave.torch.inputs import check_factory, check_tensor
from liftwave.torch.layer_wavelets import WaveletGroups, check_no_factory, fixed, learnable
from liftwave.torch.leaf import Layer
from liftwave.torch.wavelets import LearnableWavelet
from liftwave.wavelets.resolve import WaveletLike

Coefficients: TypeAlias = "list[Any]"
"""``[cA_n, details of level n, …, details of level 1]``, as the functions return them."""

LayerWavelet: TypeAlias = "WaveletLike | Sequence[WaveletLike] | LearnableWavelet | WaveletGroups"
"""The wavelet of a layer: one for all axes, or one per axis; fixed or learnable."""


class TransformLayer(Layer):
    """The common arguments of analysis and synthesis.

    Attributes
    ----------
    options : tuple of str
        Names of further arguments, which are also attributes. An inverse has the same values.
    """

    dimensions: ClassVar[int]
    options: ClassVar[tuple[str, ...]] = ("mode", "output")
    outputs: ClassVar[tuple[str, ...]] = ("list", "concat", "stack")

    def __init__(
        self,
        wavelet: LayerWavelet,
        level: int,
        learn: Learning | None,
        random: bool,
        output: str,
        groups: int,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        check_factory(device, dtype)
        self.level = natural_level(level)
        if self.level < 1:
            raise LevelError(f"a layer needs at least one level, got {level}")
        if not is_one_of(output, self.outputs):
            raise OptionError(
                f"unknown output {output!r}: use one of {', '.join(map(repr, self.outputs))}"
            )
        self.output: str = output
        groups = positive_number(groups, "groups", OptionError)
        self.wavelet = self._wavelet(wavelet, learn, random, groups, device, dtype)

    @property
    def _is_checked(self) -> bool:
        """Whether the arguments are those of another layer: compiled code only inverts layers."""
        return torch.compiler.is_dynamo_compiling()

    @property
    def _axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(range(-self.dimensions, 0))

    def _current_wavelets(self) -> list[Any]:
        """The wavelet of each group of channels, with the current parameters."""
        wavelets = self.wavelet if isinstance(self.wavelet, WaveletGroups) else [self.wavelet]
        return [w() if isinstance(w, LearnableWavelet) else w for w in wavelets]

    def _current_wavelet(self) -> Any:
        """The wavelet, or one per axis, of the first group of channels."""
        return self._current_wavelets()[0]

    def reset_parameters(self) -> None:
        """Reset learnable wavelets to their initial parameters, or to new random ones."""
        wavelets = self.wavelet if isinstance(self.wavelet, WaveletGroups) else [self.wavelet]
        for wavelet in wavelets:
            if isinstance(wavelet, LearnableWavelet):
                wavelet.reset_parameters()

    def _wavelet(
        self,
        wavelet: Any,
        learn: Learning | None,
        random: bool,
        groups: int,
        device: Any,
        dtype: torch.dtype | None,
    ) -> Any:
        if isinstance(wavelet, LearnableWavelet | WaveletGroups):
            check_no_factory(wavelet, device, dtype)
            if learn not in (None, wavelet.learn) or random:
                raise WaveletError(f"{wavelet} is learnable already: do not pass learn={learn!r}")
            if groups not in (1, len(wavelet) if isinstance(wavelet, WaveletGroups) else 1):
                raise OptionError(
                    f"groups={groups} needs a wavelet for each group, got one learnable wavelet: "
                    f"pass the name of a wavelet and learn={wavelet.learn!r}"
                )
            return wavelet
        if torch.compiler.is_dynamo_compiling() and isinstance(wavelet, str):
            raise WaveletError(
                "torch.compile cannot create a layer from the name of a wavelet: create the layer "
                "in __init__ of the model, and call it in forward"
            )
        if learn is not None:
            wavelets = [learnable(wavelet, learn, random, device, dtype) for _ in range(groups)]
            return wavelets[0] if groups == 1 else WaveletGroups(wavelets)
        if flag(random, "random"):
            raise WaveletError("random=True needs learned parameters: pass learn=...")
        if groups != 1:
            raise OptionError(f"groups={groups} needs learned parameters: pass learn=...")
        return fixed(wavelet)

    @property
    def groups(self) -> int:
        """The number of groups of channels, each with its own wavelet."""
        return len(self.wavelet) if isinstance(self.wavelet, WaveletGroups) else 1

    @property
    def learn(self) -> str | None:
        """The kind of learned parameters; None for a fixed wavelet."""
        wavelet = self.wavelet
        return wavelet.learn if isinstance(wavelet, LearnableWavelet | WaveletGroups) else None

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        wavelets = self.wavelet if isinstance(self.wavelet, tuple) else (self.wavelet,)
        names = [w.name or repr(w) for w in wavelets]
        values = {"level": self.level, **self._option_values(), "learn": self.learn}
        if self.output == self.outputs[0]:
            values.pop("output", None)  # (Not all layers have it.)
        if self.groups > 1:
            values["groups"] = self.groups
        parts = [repr(names[0] if len(names) == 1 else tuple(names))]
        return ", ".join(parts + [f"{name}={value!r}" for name, value in values.items()])

    def _option_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.options}

    def _check_dimensions(self, x: Tensor, what: str, node_axes: int = 0) -> None:
        check_tensor(self, x, f"tensors as {what}")
        ndim = self.dimensions + node_axes
        if x.ndim not in (ndim + 1, ndim + 2):
            nodes = "nodes, " * node_axes
            names = nodes + ("D, H, W", "H, W", "L")[3 - self.dimensions]
            raise ShapeError(
                f"{type(self).__name__} takes {what} of shape (C, {names}) or (N, C, {names}), "
                f"got shape {tuple(x.shape)}"
            )

    def _chunks(self, x: Tensor, axis: int) -> Sequence[Tensor]:
        """The groups of channels of a tensor.

        Raises
        ------
        ShapeError
            If the channels are not divisible into groups.
        """
        if self.groups == 1:
            return [x]
        if x.shape[axis] % self.groups:
            raise ShapeError(
                f"{type(self).__name__} with groups={self.groups} takes a multiple of "
                f"{self.groups} channels, got shape {tuple(x.shape)}"
            )
        return x.chunk(self.groups, axis)


class ModePerAxis(TransformLayer):
    """The arguments of a transform with a boundary mode for each axis."""

    def __init__(
        self,
        wavelet: LayerWavelet,
        level: int,
        mode: Modes,
        learn: Learning | None,
        random: bool,
        output: str,
        groups: int,
        device: Any,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__(wavelet, level, learn, random, output, groups, device, dtype)
        self.modes = modes_per_axis(mode, self.dimensions)

    @property
    def mode(self) -> Modes:
        """The boundary mode of all axes, or one per axis."""
        return self.modes[0] if len(set(self.modes)) == 1 else self.modes


class AnalysisLayer(TransformLayer):
    """The analysis: from a signal to bands."""

    inverse_type: ClassVar[type[TransformLayer]]

    def inverse(self) -> TransformLayer:
        """The inverse module, with the same (shared) wavelet."""
        make: Callable[..., TransformLayer] = self.inverse_type
        return make(self.wavelet, self.level, **self._option_values())

    @abstractmethod
    def _analyse(self, x: Tensor, wavelet: Any) -> Any:
        """The coefficients by one wavelet."""

    def _grouped(self, x: Tensor) -> Any:
        """The coefficients, each group of channels by its wavelet."""
        axis = x.ndim - self.dimensions - 1
        pairs = zip(self._chunks(x, axis), self._current_wavelets(), strict=True)
        parts = [self._analyse(part, wavelet) for part, wavelet in pairs]
        return (
            parts[0] if len(parts) == 1 else _mapped(lambda *bands: torch.cat(bands, axis), *parts)
        )

    def forward(self, x: Tensor) -> Any:
        """The coefficients of signals of shape (C, …) or (N, C, …), in the form of ``output``."""
        self._check_dimensions(x, "signals")
        coeffs = self._grouped(x)
        if self.output == "list":
            return coeffs
        bands, axis = band_list(coeffs, self.dimensions), x.ndim - self.dimensions
        if self.output == "stack":
            return torch.stack(bands, axis)
        return torch.cat(bands, axis - 1)


class SynthesisLayer(TransformLayer):
    """The synthesis: from bands to a signal."""

    def _grouped(
        self, coeffs: Any, synthesise: Callable[[Any, Any], Tensor], node_axes: int = 0
    ) -> Tensor:
        """The signal, each group of channels by its wavelet."""
        wavelets = self._current_wavelets()
        if len(wavelets) == 1:
            return synthesise(coeffs, wavelets[0])
        axis = -self.dimensions - 1

        def group(k: int) -> Any:
            return _mapped(lambda band: self._chunks(band, axis - node_axes)[k], coeffs)

        return torch.cat([synthesise(group(k), w) for k, w in enumerate(wavelets)], axis)

    def _checked(self, coeffs: Any) -> Coefficients:
        """The coefficients, with a place for each band.

        Raises
        ------
        CoefficientsError, ShapeError, ArgumentTypeError
            If the number of levels differs, all bands are missing, or a band has no channels.
        """
        coeffs = self._split(coeffs) if self.output != "list" else coeffs
        count = len(coeffs) if isinstance(coeffs, list | tuple) else None
        if count != self.level + 1:
            got = type(coeffs).__name__ if count is None else count
            raise CoefficientsError(
                f"{type(self).__name__} of {self.level} levels takes a list of {self.level + 1}, "
                f"an approximation and details of each level, got {got}"
            )
        complete: Coefficients = [coeffs[0], *map(self._details, coeffs[1:])]
        bands = [band for band in _bands(complete) if band is not None]
        if not bands:
            raise ShapeError("at least one band is required, all are None")
        for band in bands:
            self._check_dimensions(band, "bands")
        return complete

    def _split(self, x: Tensor) -> Coefficients:
        """The coefficients in one tensor.

        Raises
        ------
        ShapeError, ArgumentTypeError
            If it does not have the axes or the bands.
        """
        check_tensor(self, x, "one tensor of all bands")
        stacked, dims = self.output == "stack", self.dimensions
        count = self.level * (2**dims - 1) + 1
        axis = x.ndim - dims - 1
        channels = axis - 1 if stacked else axis
        fits = channels in (0, 1) and (
            x.shape[axis] == count if stacked else x.shape[axis] % count == 0
        )
        if not fits:
            form = f"(C, {count}, …)" if stacked else f"(C * {count}, …)"
            raise ShapeError(
                f"{type(self).__name__} with output={self.output!r} takes {count} bands in one "
                f"tensor of shape {form}, with or without a batch, got shape {tuple(x.shape)}"
            )
        bands = x.unbind(axis) if stacked else x.chunk(count, axis)
        return from_band_list(bands, dims)

    def _details(self, details: Any) -> Any:
        """The details of one level. Some or all of them can be ``None``."""
        if self.dimensions == 2 and details is None:
            return (None, None, None)
        if self.dimensions == 3:
            by_name = {} if details is None else details
            if not isinstance(by_name, Mapping):
                raise CoefficientsError(
                    f"the details of a level are a dict by name, got {type(details).__name__}"
                )
            return {k: band for k, band in by_name.items() if band is not None}
        return details


# --- structures of coefficients ------------------------------------------------------------------


def _bands(coeffs: Coefficients) -> Iterator[Tensor | None]:
    """All bands, level by level."""
    for item in coeffs:
        if isinstance(item, dict):
            yield from item.values()
        elif isinstance(item, list | tuple):
            yield from item
        else:
            yield item


def _mapped(function: Callable[..., Tensor], *coeffs: Any) -> Any:
    """The coefficients with a function applied to each band; ``None`` stays ``None``."""
    first = coeffs[0]
    if isinstance(first, Mapping):
        return {key: _mapped(function, *(item[key] for item in coeffs)) for key in first}
    if isinstance(first, list | tuple):
        return type(first)(_mapped(function, *items) for items in zip(*coeffs, strict=True))
    return None if first is None else function(*coeffs)


def band_list(coeffs: Coefficients, dimensions: int) -> list[Tensor]:
    """All bands, coarsest first, each level in the order of ``band_names``."""
    approx, *levels = coeffs
    if dimensions == 1:
        return [approx, *levels]
    if dimensions == 2:
        return [approx, *chain(*levels)]
    return [approx, *(details[key] for details in levels for key in _KEYS)]


def from_band_list(bands: Sequence[Tensor], dimensions: int) -> Coefficients:
    """The inverse of :func:`band_list`."""
    approx, *rest = bands
    if dimensions == 1:
        return [approx, *rest]
    count = 2**dimensions - 1
    levels = [tuple(rest[k : k + count]) for k in range(0, len(rest), count)]
    if dimensions == 2:
        return [approx, *levels]
    return [approx, *(dict(zip(_KEYS, level, strict=True)) for level in levels)]


def key_of(name: str) -> str:
    """The name of a band in PyWavelets' order: the first axis first."""
    return "".join("a" if letter == "L" else "d" for letter in reversed(name))


_KEYS = tuple(key_of(name) for name in band_names(3)[1:])
