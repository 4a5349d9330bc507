"""The common parts of layers of transforms: arguments, checks, representations, inverses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from torch import Tensor, nn

from liftwave._numbers import flag
from liftwave._plan.arguments import modes_per_axis, natural_level
from liftwave._typing import Modes
from liftwave.errors import CoefficientsError, LevelError, ShapeError, WaveletError
from liftwave.torch._typing import Learning
from liftwave.torch.inputs import check_tensor
from liftwave.torch.wavelets import LearnableWavelet, fixed, learnable
from liftwave.wavelets.resolve import WaveletLike

Coefficients: TypeAlias = "list[Any]"
"""``[cA_n, details of level n, …, details of level 1]``, as the functions return them."""

LayerWavelet: TypeAlias = "WaveletLike | Sequence[WaveletLike] | LearnableWavelet"
"""The wavelet of a layer: one for all axes, or one for each; fixed or learnable."""


class TransformLayer(nn.Module):
    """The common arguments of analysis and synthesis.

    Attributes
    ----------
    options : tuple of str
        Names of further arguments, which are also attributes. An inverse has the same values.
    """

    dimensions: ClassVar[int]
    options: ClassVar[tuple[str, ...]] = ("mode",)

    def __init__(
        self, wavelet: LayerWavelet, level: int, learn: Learning | None, random: bool
    ) -> None:
        super().__init__()
        self.level = natural_level(level)
        if self.level < 1:
            raise LevelError(f"a layer needs at least one level, got {level}")
        self.wavelet = self._wavelet(wavelet, learn, random)

    @property
    def _axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(range(-self.dimensions, 0))

    def _current_wavelet(self) -> Any:
        """The wavelet, or one per axis, with the current parameters."""
        return self.wavelet() if isinstance(self.wavelet, LearnableWavelet) else self.wavelet

    def _wavelet(self, wavelet: Any, learn: Learning | None, random: bool) -> Any:
        if isinstance(wavelet, LearnableWavelet):
            if learn not in (None, wavelet.learn) or random:
                raise WaveletError(f"{wavelet} is learnable already: do not pass learn={learn!r}")
            return wavelet
        if learn is not None:
            return learnable(wavelet, learn, random)
        if flag(random, "random"):
            raise WaveletError("random=True needs learned parameters: pass learn=...")
        return fixed(wavelet)

    @property
    def learn(self) -> str | None:
        """The kind of learned parameters; None for a fixed wavelet."""
        return self.wavelet.learn if isinstance(self.wavelet, LearnableWavelet) else None

    def extra_repr(self) -> str:
        """The text between the parentheses of ``repr``."""
        wavelets = self.wavelet if isinstance(self.wavelet, tuple) else (self.wavelet,)
        names = [w.name or repr(w) for w in wavelets]
        values = {"level": self.level, **self._option_values(), "learn": self.learn}
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


class ModePerAxis(TransformLayer):
    """The arguments of a transform with a boundary mode for each axis."""

    def __init__(
        self,
        wavelet: LayerWavelet,
        level: int,
        mode: Modes,
        learn: Learning | None,
        random: bool,
    ) -> None:
        super().__init__(wavelet, level, learn, random)
        self.modes = modes_per_axis(mode, self.dimensions)

    @property
    def mode(self) -> Modes:
        """The boundary mode of all axes, or that of each."""
        return self.modes[0] if len(set(self.modes)) == 1 else self.modes


class AnalysisLayer(TransformLayer):
    """The analysis: from a signal to bands."""

    inverse_type: ClassVar[type[TransformLayer]]

    def inverse(self) -> TransformLayer:
        """The inverse module, with the same (shared) wavelet."""
        make: Callable[..., TransformLayer] = self.inverse_type
        return make(self.wavelet, self.level, **self._option_values())


class SynthesisLayer(TransformLayer):
    """The synthesis: from a list of bands to a signal."""

    def _checked(self, coeffs: Coefficients) -> Coefficients:
        """The coefficients, with a place for each band.

        Raises
        ------
        CoefficientsError, ShapeError, ArgumentTypeError
            If there is another number of levels, no band, or a band has no channels.
        """
        count = len(coeffs) if isinstance(coeffs, list | tuple) else None
        if count != self.level + 1:
            got = type(coeffs).__name__ if count is None else count
            raise CoefficientsError(
                f"{type(self).__name__} of {self.level} levels takes a list of {self.level + 1}, "
                f"an approximation and details of each level, got {got}"
            )
        coeffs = [coeffs[0], *map(self._details, coeffs[1:])]
        bands = [band for band in _bands(coeffs) if band is not None]
        if not bands:
            raise ShapeError("at least one band is needed, all are None")
        for band in bands:
            self._check_dimensions(band, "bands")
        return coeffs

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


def _bands(coeffs: Coefficients) -> Iterator[Tensor | None]:
    """All bands, level by level."""
    for item in coeffs:
        if isinstance(item, dict):
            yield from item.values()
        elif isinstance(item, list | tuple):
            yield from item
        else:
            yield item
