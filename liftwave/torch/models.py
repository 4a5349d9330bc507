"""Replacement of the pooling layers of a model."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from liftwave._numbers import flag, positive_number
from liftwave.errors import ArgumentTypeError, ExportError, WindowError
from liftwave.torch.inputs import check_model
from liftwave.torch.pooling_places import (
    FUNCTIONS,
    Call,
    Observer,
    Place,
    function_options,
    function_places,
    module_places,
)


class Replacement(NamedTuple):
    """The replacement at one place.

    Attributes
    ----------
    place : Place
        The place before the replacement.
    module : torch.nn.Module or None
        The new module; ``None`` if the old one was not replaced.
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
        Maps a :class:`Place` to the new layer, or to ``None`` to keep the old layer.
        The new layer gets the device and dtype of the model's parameters, and the mode (training
        or evaluation) of the old layer.
    example : Tensor or tuple, optional
        Arguments for one call of the model, which determines the channels of each layer. The
        report then also has the calls of pooling functions, and the shapes of new results that
        differ from the old ones. By default the channels are
        those of the last convolution or normalisation registered before the
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

    See Also
    --------
    pooling_modules : turns calls of ``torch.nn.functional.max_pool2d`` and others into modules.

    Notes
    -----
    Layers that return ceil(n / 2) of n samples can replace max pooling with kernel 3 and padding
    1, and the usual strided convolutions, for all sizes. They can replace pooling with kernel 2
    and without padding for even sizes. Layers with windows replace any pooling:
    ``lambda place: SoftPool2d(*place.windows)``, with ``convolutions=False``.

    The report has, unchanged: pooling that also returns indices, subclasses of torch's layers,
    adaptive, fractional and power-average pooling, and (with an example) calls of functions.

    The parameters of replaced convolutions get new names in
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
    places = list(module_places(model, stride, flag(convolutions, "convolutions")))
    calls: dict[nn.Module, Call] | None = None
    if example is not None:
        observer = Observer(model, {place.module: place.dimensions for place, _ in places})
        observer.run(example if isinstance(example, tuple) else (example,))
        places += function_places(observer, stride)
        calls = observer.calls
    # All new layers exist before the first is put into the model.
    planned = [_planned(model, place, reason, factory, calls) for place, reason in places]
    return Replacements(_replaced(model, replacement) for replacement in planned)


def _planned(
    model: nn.Module,
    place: Place,
    reason: str,
    factory: Callable[[Place], nn.Module | None],
    calls: dict[nn.Module, Call] | None,
) -> Replacement:
    """The new layer of a place, or the reason why the old one is not replaced."""
    call = None
    if calls is not None and not reason:
        call = calls.get(place.module)
        counts = call.channels if call else set()
        place = place._replace(channels=next(iter(counts)) if len(counts) == 1 else None)
        if len(counts) != 1:
            reason = "the example did not call it"
            if counts:
                reason = f"it pools {sorted(counts)} channels"
    layer = None if reason else factory(place)
    if layer is None:
        return Replacement(place, None, f"unchanged: {reason or 'the factory returned None'}")
    if not isinstance(layer, nn.Module):
        raise ArgumentTypeError(f"the factory must return a module or None, got {type(layer)}")
    parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
    if parameter is not None:
        layer = layer.to(device=parameter.device, dtype=parameter.dtype)
    layer.train(place.module.training)
    return Replacement(place, layer, _note(place, layer, call))


def _note(place: Place, layer: nn.Module, call: Call | None) -> str:
    old, new = type(place.module).__name__, type(layer).__name__
    note = f"{old} -> {new}"
    if place.kind == "convolution":
        note = f"{old} of stride {place.stride[0]} -> {old} and {new}"
    if call is not None and (shape := _shape_of_result(place, layer, call)) != call.result:
        note += f": result of shape {shape} instead of {call.result}"
    return note


def _shape_of_result(place: Place, layer: nn.Module, call: Call) -> tuple[int, ...]:
    """The shape of the new result for the input of the example."""
    # Copies leave the layers unchanged: a mask without a size, running statistics.
    modules: list[Any] = [deepcopy(layer).eval()]
    if place.kind == "convolution":
        modules.insert(0, deepcopy(place.module))
        modules[0].stride = (1,) * place.dimensions
    with torch.no_grad():
        x = torch.zeros(call.shape, dtype=call.dtype, device=call.device)
        return tuple(nn.Sequential(*modules)(x).shape)


def _replaced(model: nn.Module, replacement: Replacement) -> Replacement:
    """Replace a module by the planned layer, under all names of the module."""
    place, layer, _ = replacement
    if layer is None:
        return replacement
    old: Any = place.module
    if old is model:
        return Replacement(place, None, "unchanged: it is the model itself")
    if place.kind == "convolution":
        old.stride = (1,) * place.dimensions
        layer = nn.Sequential(old, layer).train(old.training)
    owners = [
        (owner, name)
        for owner in list(model.modules())
        for name, child in owner._modules.items()
        if child is old
    ]
    for owner, name in owners:
        owner._modules[name] = layer
    return replacement._replace(module=layer)


# --- functions -----------------------------------------------------------------------------------


def pooling_modules(model: nn.Module) -> fx.GraphModule:
    """Return a model in which calls of pooling functions are modules.

    Parameters
    ----------
    model : torch.nn.Module
        A model that calls functions such as ``torch.nn.functional.max_pool2d`` and
        ``avg_pool2d``, of one to three dimensions.

    Returns
    -------
    torch.fx.GraphModule
        The same computation with the same submodules. Each call is a module, such as
        ``torch.nn.MaxPool2d``, which :func:`replace_pooling` can replace. Calls whose windows are
        not constants, or that return indices, remain calls.

    Raises
    ------
    ExportError
        If :mod:`torch.fx` cannot trace the model.

    Notes
    -----
    :mod:`torch.fx` traces the model in its current mode (training or evaluation). Branches that
    depend on this mode are fixed.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from liftwave.torch import SoftPool2d, pooling_modules, replace_pooling
    >>> branch = torch.fx.symbolic_trace(lambda x: nn.functional.avg_pool2d(x, 3, 2, padding=1))
    >>> model = pooling_modules(nn.Sequential(branch))
    >>> print(replace_pooling(model, lambda place: SoftPool2d(*place.windows)))
    avg_pool2d: AvgPool2d -> SoftPool2d
    """
    check_model(model)
    tracer = fx.Tracer()
    try:
        graph = tracer.trace(model)
    except Exception as error:  # torch.fx runs the model's own code, which can raise anything
        raise ExportError(
            f"torch.fx cannot trace {type(model).__name__} ({error}). Call pooling_modules for "
            "its submodules without branches that depend on data"
        ) from error
    traced = fx.GraphModule(tracer.root, graph, type(model).__name__)
    for node in list(graph.nodes):
        module = _module_of_call(node)
        if module is not None:
            name = node.name if not hasattr(traced, node.name) else f"{node.name}_module"
            traced.add_submodule(name, module.train(model.training))
            with graph.inserting_before(node):
                step = graph.call_module(name, (_input_of_call(node),))
            node.replace_all_uses_with(step)
            graph.erase_node(node)
    traced.recompile()
    return traced


def _input_of_call(node: fx.Node) -> Any:
    return node.args[0] if node.args else node.kwargs["input"]


def _module_of_call(node: fx.Node) -> nn.Module | None:
    """The module that computes a call of a pooling function; None for other steps."""
    name = getattr(node.target, "__name__", "")
    if node.op != "call_function" or name not in FUNCTIONS:
        return None
    options = function_options(name, node.args, node.kwargs)
    is_constant = not any(isinstance(value, fx.Node) for value in _flat(options.values()))
    if not is_constant or options.get("return_indices"):
        return None
    make: Callable[..., nn.Module] = FUNCTIONS[name]
    return make(**options)


def _flat(values: Any) -> list[Any]:
    return [v for value in values for v in (value if isinstance(value, tuple | list) else [value])]
