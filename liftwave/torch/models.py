"""Replacement of the pooling layers of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from liftwave._numbers import flag, positive_number
from liftwave.errors import ArgumentTypeError, WindowError
from liftwave.torch.inputs import check_model

_POOLS: dict[type[nn.Module], tuple[str, int]] = {
    nn.MaxPool1d: ("max", 1),
    nn.MaxPool2d: ("max", 2),
    nn.MaxPool3d: ("max", 3),
    nn.AvgPool1d: ("average", 1),
    nn.AvgPool2d: ("average", 2),
    nn.AvgPool3d: ("average", 3),
}
_CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}


class Place(NamedTuple):
    """A position in a model that pools.

    Attributes
    ----------
    name : str
        The name of the module in the model.
    module : torch.nn.Module
        The pooling layer or convolution.
    kind : {"max", "average", "convolution"}
        The kind of the module.
    dimensions : int
        The number of spatial axes.
    kernel_size, stride : tuple of int
        Those of the module, along each axis.
    channels : int or None
        The number of input channels; ``None`` if unknown.
    """

    name: str
    module: nn.Module
    kind: str
    dimensions: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    channels: int | None


class Replacement(NamedTuple):
    """The replacement at one place.

    Attributes
    ----------
    place : Place
        The place before the replacement.
    module : torch.nn.Module or None
        The new module; ``None`` if the old one stayed.
    note : str
        A description of the change, or the reason for no change.
    """

    place: Place
    module: nn.Module | None
    note: str


class Replacements(list[Replacement]):
    """A report, printed as one line for each place."""

    def __str__(self) -> str:
        """The report as text."""
        return "\n".join(f"{r.place.name or '(model)'}: {r.note}" for r in self)


def replace_pooling(
    model: nn.Module,
    factory: Callable[[Place], nn.Module | None],
    example: Tensor | tuple[Any, ...] | None = None,
    *,
    convolutions: bool = True,
    stride: int | None = 2,
) -> Replacements:
    """Replace max pooling, average pooling and strided convolutions of a model, in place.

    Parameters
    ----------
    model : torch.nn.Module
        The model whose modules are replaced.
    factory : callable
        Gets a :class:`Place` and returns the new layer for it, or ``None`` to keep the old one.
    example : Tensor or tuple, optional
        Arguments for one call of the model, which determines the channels of each layer. By
        default they are those of the last convolution or normalisation registered before the
        layer. This is a guess if modules are not used in the order of their registration.
    convolutions : bool, optional
        Whether to replace strided convolutions, too: by the same convolution (the same object)
        with stride 1, followed by the new layer.
    stride : int or None, optional
        Replace only modules with this stride along all axes; ``None``: any stride except 1.

    Returns
    -------
    Replacements
        A printable list of :class:`Replacement`, including the places that were not changed.

    Raises
    ------
    ArgumentTypeError
        If the model is not a module, or the factory returns neither a module nor ``None``.

    Notes
    -----
    Layers that return ceil(n / 2) of n samples can replace max pooling with kernel 3 and padding
    1, and the usual strided convolutions, for all sizes. They can replace pooling with kernel 2
    and without padding for even sizes. The parameters of replaced convolutions get new names in
    the ``state_dict``: ``conv.weight`` becomes ``conv.0.weight``.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import LiftDownPool2d, replace_pooling
    >>> model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
    >>> print(replace_pooling(model, lambda place: LiftDownPool2d(place.channels)))
    2: MaxPool2d -> LiftDownPool2d
    """
    check_model(model)
    if not callable(factory):
        raise ArgumentTypeError(f"the factory must be a function of a Place, got {factory!r}")
    if stride is not None:
        stride = positive_number(stride, "stride", WindowError)
    convolutions = flag(convolutions, "convolutions")
    places = list(_places(model, stride, convolutions))
    observed = _observed_channels(model, places, example) if example is not None else None
    parameter = next(model.parameters(), None)
    report = Replacements()
    for place in places:
        if observed is not None:
            counts = observed.get(place.module, set())
            place = place._replace(channels=next(iter(counts)) if len(counts) == 1 else None)
            if len(counts) != 1:
                reason = (
                    f"it pools {sorted(counts)} channels" if counts else "the example missed it"
                )
                report.append(Replacement(place, None, f"left: {reason}"))
                continue
        layer = factory(place)
        if layer is None:
            report.append(Replacement(place, None, "left: the factory says so"))
            continue
        if not isinstance(layer, nn.Module):
            raise ArgumentTypeError(f"the factory must return a module or None, got {type(layer)}")
        if parameter is not None:
            layer = layer.to(parameter.device)
        report.append(_replaced(model, place, layer))
    return report


def _places(model: nn.Module, stride: int | None, convolutions: bool) -> Iterator[Place]:
    """The places in a model that pool, with the channels of the preceding modules."""
    channels: int | None = None
    for name, module in model.named_modules():
        kind, dims = _POOLS.get(type(module), ("", 0))
        if type(module) in _CONVOLUTIONS:
            kind, dims = "convolution", _CONVOLUTIONS[type(module)]
        input_channels = channels
        count = getattr(module, "out_channels", getattr(module, "num_features", None))
        channels = count if isinstance(count, int) else channels
        if not kind or (kind == "convolution" and not convolutions):
            continue
        strides = _per_axis(module.stride, dims)
        if set(strides) == {1} if stride is None else set(strides) != {stride}:
            continue
        kernel = _per_axis(module.kernel_size, dims)
        pooled = channels if kind == "convolution" else input_channels
        yield Place(name, module, kind, dims, kernel, strides, pooled)


def _per_axis(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * count


def _observed_channels(
    model: nn.Module, places: list[Place], example: Any
) -> dict[nn.Module, set[int]]:
    """The channels of the input of each pooling layer and of the result of each convolution."""
    channels: dict[nn.Module, set[int]] = {}

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        tensor = output if type(module) in _CONVOLUTIONS else inputs[0]
        dims = next(p.dimensions for p in places if p.module is module)
        channels.setdefault(module, set()).add(int(tensor.shape[-dims - 1]))

    hooks = [place.module.register_forward_hook(note) for place in places]
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad():
            model(*(example if isinstance(example, tuple) else (example,)))
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    return channels


def _replaced(model: nn.Module, place: Place, layer: nn.Module) -> Replacement:
    """Replace a module by a layer, under all names of the module."""
    old: Any = place.module
    name_of_old = type(old).__name__
    if place.kind == "convolution":
        old.stride = (1,) * place.dimensions
        strided = f"{name_of_old} of stride {place.stride[0]}"
        note = f"{strided} -> {name_of_old} and {type(layer).__name__}"
        layer = nn.Sequential(old, layer)
    else:
        note = f"{name_of_old} -> {type(layer).__name__}"
    owners = [
        (owner, name)
        for owner in list(model.modules())
        for name, child in owner._modules.items()
        if child is old and owner is not layer
    ]
    if not owners:
        return Replacement(place, None, "left: it is the model itself")
    for owner, name in owners:
        owner._modules[name] = layer
    return Replacement(place, layer, note)
