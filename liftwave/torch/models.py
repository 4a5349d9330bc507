"""Whole models: pooling layers replaced by others, and the sum of all penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from liftwave.errors import ArgumentTypeError

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
    """A place where a model pools.

    Attributes
    ----------
    name : str
        The module's name in the model.
    module : torch.nn.Module
        The pooling layer or convolution.
    kind : {"max", "average", "convolution"}
        The kind of the module.
    dimensions : int
        Spatial axes.
    kernel_size, stride : tuple of int
        Of the module, along each axis.
    channels : int or None
        Of the input; ``None`` if they are unknown.
    """

    name: str
    module: nn.Module
    kind: str
    dimensions: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    channels: int | None


class Replacement(NamedTuple):
    """What was done at a place.

    Attributes
    ----------
    place : Place
        The place as it was.
    module : torch.nn.Module or None
        The new module; ``None`` if the old one stayed.
    note : str
        What was done, or why nothing was done.
    """

    place: Place
    module: nn.Module | None
    note: str


class Replacements(list[Replacement]):
    """A report, one line for each place when printed."""

    def __str__(self) -> str:
        """The report as text."""
        return "\n".join(f"{each.place.name or '(model)'}: {each.note}" for each in self)


def replace_pooling(
    model: nn.Module,
    factory: Callable[[Place], nn.Module | None],
    example: Tensor | tuple[Any, ...] | None = None,
    *,
    convolutions: bool = True,
    stride: int | None = 2,
) -> Replacements:
    """Swap max pooling, average pooling and strided convolutions in a model, in place.

    Parameters
    ----------
    model : torch.nn.Module
        Whose modules are swapped.
    factory : callable
        Gets a :class:`Place` and makes the layer that pools there, or None to leave it.
    example : Tensor or tuple, optional
        What the model is called with, once, to see how many channels arrive where. Without it
        they are those of the last convolution or normalisation before, in the order in which
        modules were registered, which is a guess where that is not the order of their use.
    convolutions : bool, optional
        Whether strided convolutions are swapped, too: for the same convolution (the same object)
        of stride 1, and the layer behind it.
    stride : int or None, optional
        Only what goes by this stride along all axes is swapped; None for any stride but 1.

    Returns
    -------
    Replacements
        A list of :class:`Replacement`, also of what was left; print it.

    Raises
    ------
    ArgumentTypeError
        If the factory makes something else.

    Notes
    -----
    What halves n samples to ceil(n / 2) takes the place of max pooling of kernel 3 and padding 1
    and of the usual strided convolutions at all sizes, of kernel 2 without padding at even ones.
    A swapped convolution's parameters move in the ``state_dict``: ``conv.weight`` is then
    ``conv.0.weight``.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import LiftDownPool2d, replace_pooling
    >>> model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
    >>> print(replace_pooling(model, lambda place: LiftDownPool2d(place.channels)))
    2: MaxPool2d -> LiftDownPool2d
    """
    places = list(_places(model, stride, convolutions))
    seen = _channels_seen(model, places, example) if example is not None else None
    parameter = next(model.parameters(), None)
    report = Replacements()
    for place in places:
        if seen is not None:
            found = seen.get(place.module, set())
            place = place._replace(channels=next(iter(found)) if len(found) == 1 else None)
            if len(found) != 1:
                why = f"it pools {sorted(found)} channels" if found else "the example missed it"
                report.append(Replacement(place, None, f"left: {why}"))
                continue
        made = factory(place)
        if made is None:
            report.append(Replacement(place, None, "left: the factory says so"))
            continue
        if not isinstance(made, nn.Module):
            raise ArgumentTypeError(f"the factory has to make a module or None, got {type(made)}")
        if parameter is not None:
            made = made.to(parameter.device)
        report.append(_swapped(model, place, made))
    return report


def _places(model: nn.Module, stride: int | None, convolutions: bool) -> Iterator[Place]:
    """Where a model pools, with the channels of what was registered before."""
    channels: int | None = None
    for name, module in model.named_modules():
        kind, dims = _POOLS.get(type(module), ("", 0))
        if type(module) in _CONVOLUTIONS:
            kind, dims = "convolution", _CONVOLUTIONS[type(module)]
        before = channels
        found = getattr(module, "out_channels", getattr(module, "num_features", None))
        channels = found if isinstance(found, int) else channels
        if not kind or (kind == "convolution" and not convolutions):
            continue
        strides = _each(module.stride, dims)
        if set(strides) == {1} if stride is None else set(strides) != {stride}:
            continue
        of_kernel = _each(module.kernel_size, dims)
        count = channels if kind == "convolution" else before
        yield Place(name, module, kind, dims, of_kernel, strides, count)


def _each(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * count


def _channels_seen(
    model: nn.Module, places: list[Place], example: Any
) -> dict[nn.Module, set[int]]:
    """How many channels come to each pooling layer and out of each convolution."""
    seen: dict[nn.Module, set[int]] = {}

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        tensor = output if type(module) in _CONVOLUTIONS else inputs[0]
        dims = next(p.dimensions for p in places if p.module is module)
        seen.setdefault(module, set()).add(int(tensor.shape[-dims - 1]))

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
    return seen


def _swapped(model: nn.Module, place: Place, made: nn.Module) -> Replacement:
    """Put the layer in the module's place, under all of its names."""
    old: Any = place.module
    was = type(old).__name__
    if place.kind == "convolution":
        old.stride = (1,) * place.dimensions
        note = f"{was} of stride {place.stride[0]} -> {was} and {type(made).__name__}"
        made = nn.Sequential(old, made)
    else:
        note = f"{was} -> {type(made).__name__}"
    owners = [
        (owner, name)
        for owner in list(model.modules())
        for name, child in owner._modules.items()
        if child is old and owner is not made
    ]
    if not owners:
        return Replacement(place, None, "left: it is the model itself")
    for owner, name in owners:
        owner._modules[name] = made
    return Replacement(place, made, note)


# --- penalties -----------------------------------------------------------------------------------


def auxiliary_loss(model: nn.Module) -> Tensor:
    """The sum of the penalties of all layers of a model.

    Parameters
    ----------
    model : torch.nn.Module
        Every module in it that has a method ``penalty()`` contributes once, however many layers
        share it: learnable wavelets how far their filters are from a wavelet, lifting pooling
        the weighted :math:`c_u` and :math:`c_p` of its last call in training.

    Returns
    -------
    Tensor, shape ()
        To be added to the loss; zero if no layer has a penalty.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import DWT1d, LiftDownPool2d, auxiliary_loss
    >>> model = nn.Sequential(DWT1d("db2", learn="filters"))
    >>> bool(auxiliary_loss(model) < 1e-10)  # learning starts at a wavelet
    True
    >>> model = LiftDownPool2d(1, penalty_weights=(0.0, 1.0))
    >>> ramp = torch.arange(64.0).reshape(1, 1, 8, 8)
    >>> _ = model(ramp)
    >>> loss = auxiliary_loss(model)  # the mean square of the details
    """
    methods = (getattr(module, "penalty", None) for module in model.modules())
    penalties: list[Tensor] = [penalty() for penalty in methods if callable(penalty)]
    if penalties:
        return torch.stack([p.to(penalties[0].device) for p in penalties]).sum()
    parameter = next(model.parameters(), None)
    return torch.zeros((), device=None if parameter is None else parameter.device)
