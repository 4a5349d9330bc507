"""The places in a model that pool: modules, and calls of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

POOLS: dict[type[nn.Module], tuple[str, int]] = {
    nn.MaxPool1d: ("max", 1),
    nn.MaxPool2d: ("max", 2),
    nn.MaxPool3d: ("max", 3),
    nn.AvgPool1d: ("average", 1),
    nn.AvgPool2d: ("average", 2),
    nn.AvgPool3d: ("average", 3),
}
CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}

# torch.nn has these for one to three dimensions, except for FractionalMaxPool1d.
_OTHER_POOLS: dict[type[nn.Module], int] = {
    getattr(nn, f"{name}{d}d"): d
    for name in ("AdaptiveAvgPool", "AdaptiveMaxPool", "LPPool", "FractionalMaxPool")
    for d in (1, 2, 3)
    if hasattr(nn, f"{name}{d}d")
}

FUNCTIONS: dict[str, type[nn.Module]] = {
    f"{name}_pool{d}d": getattr(nn, f"{kind}Pool{d}d")
    for name, kind in (("max", "Max"), ("avg", "Avg"))
    for d in (1, 2, 3)
}
"""The modules of functions of ``torch.nn.functional``, by the names of the functions."""

_OTHER_FUNCTIONS: dict[str, int] = {
    f"{name}_pool{d}d": d
    for name in ("adaptive_avg", "adaptive_max", "lp", "fractional_max")
    for d in (1, 2, 3)
}

_MAX_OPTIONS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_AVERAGE_OPTIONS = (
    *("kernel_size", "stride", "padding"),
    *("ceil_mode", "count_include_pad", "divisor_override"),
)


class Place(NamedTuple):
    """A position in a model that pools.

    Attributes
    ----------
    name : str
        The name of the module in the model.
    module : torch.nn.Module
        The pooling layer or convolution; or the module whose ``forward`` calls a function.
    kind : {"max", "average", "convolution", "other", "function"}
        The kind of the module. The last two are reported and not replaced.
    dimensions : int
        The number of spatial axes.
    kernel_size, stride : tuple of int
        Those of the module, along each axis.
    channels : int or None
        The number of input channels; ``None`` if unknown.
    padding, dilation : tuple of int
        Those of the module, along each axis.
    ceil_mode : bool
        Whether windows that extend beyond the end are kept.
    """

    name: str
    module: nn.Module
    kind: str
    dimensions: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    channels: int | None
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    ceil_mode: bool = False

    @property
    def windows(
        self,
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]:
        """The arguments of layers with windows: ``SoftPool2d(*place.windows)``."""
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode


# --- modules -------------------------------------------------------------------------------------


def module_places(
    model: nn.Module, stride: int | None, convolutions: bool
) -> Iterator[tuple[Place, str]]:
    """The modules that pool, and the reason why one cannot be replaced (or an empty string).

    The channels are those of the preceding modules.
    """
    channels: int | None = None
    for name, module in model.named_modules():
        input_channels = channels
        count = getattr(module, "out_channels", getattr(module, "num_features", None))
        channels = count if isinstance(count, int) else channels
        kind, base, dims = _kind(module)
        if not kind or (kind == "convolution" and not convolutions):
            continue
        pooled = channels if kind == "convolution" else input_channels
        if kind == "other":
            place = Place(name, module, kind, dims, (), (), pooled)
            yield place, f"{base.__name__} has no windows of one size and stride"
            continue
        place = _with_windows(Place(name, module, kind, dims, (), (), pooled))
        if _is_wanted(place.stride, stride):
            yield place, _obstacle(module, base)


def _kind(module: nn.Module) -> tuple[str, type[nn.Module], int]:
    """The kind of a module, its class in ``torch.nn``, and its dimensions."""
    for pool, (kind, dims) in POOLS.items():
        if isinstance(module, pool):
            return kind, pool, dims
    for kind, classes in (("convolution", CONVOLUTIONS), ("other", _OTHER_POOLS)):
        for base, dims in classes.items():
            if isinstance(module, base):
                return kind, base, dims
    return "", nn.Module, 0


def _obstacle(module: nn.Module, base: type[nn.Module]) -> str:
    if type(module) is not base:
        return f"a subclass of {base.__name__} can compute something else"
    if getattr(module, "return_indices", False):
        return "it also returns indices"
    return ""


def _with_windows(place: Place) -> Place:
    module: Any = place.module
    padding = 0 if module.padding in ("valid", "same") else module.padding
    values = (module.kernel_size, module.stride, padding, getattr(module, "dilation", 1))
    kernel, stride, around, dilation = (per_axis(value, place.dimensions) for value in values)
    ceil_mode = bool(getattr(module, "ceil_mode", False))
    return place._replace(
        kernel_size=kernel, stride=stride, padding=around, dilation=dilation, ceil_mode=ceil_mode
    )


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """One number for each axis, from one for all or one for each."""
    return tuple(value) if isinstance(value, tuple | list) else (value,) * count


def _is_wanted(strides: Sequence[int], stride: int | None) -> bool:
    return set(strides) != {1} if stride is None else set(strides) == {stride}


# --- calls of functions --------------------------------------------------------------------------


def function_options(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a call of a pooling function, by name, without the input."""
    names = _MAX_OPTIONS if name.startswith("max") else _AVERAGE_OPTIONS
    options = {**dict(zip(("input", *names), args, strict=False)), **kwargs}
    return {key: value for key, value in options.items() if key != "input"}


def _function_place(
    name: str, module: nn.Module, function: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Place:
    if function in _OTHER_FUNCTIONS:
        return Place(name, module, "function", _OTHER_FUNCTIONS[function], (), (), None)
    dims, options = POOLS[FUNCTIONS[function]][1], function_options(function, args, kwargs)
    kernel = per_axis(options["kernel_size"], dims)
    stride = options.get("stride")
    strides = kernel if stride is None or stride == [] else per_axis(stride, dims)
    return Place(name, module, "function", dims, kernel, strides, None)


class Call(NamedTuple):
    """The shapes of input and result of a module's first call, and the channels of all calls."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    result: tuple[int, ...]
    channels: set[int]


class Observer(TorchFunctionMode):
    """Runs a model on an example, and notes calls of pooling modules and functions."""

    def __init__(self, model: nn.Module, modules: Mapping[nn.Module, int]) -> None:
        super().__init__()
        self.calls: dict[nn.Module, Call] = {}
        self.functions: dict[tuple[str, str], Place] = {}
        self._model, self._modules = model, modules
        self._names = {module: name for name, module in model.named_modules()}
        self._stack: list[nn.Module] = []

    def run(self, example: tuple[Any, ...]) -> None:
        """Run the model in evaluation mode, without gradients. Its modes do not change."""
        modes = {module: module.training for module in self._model.modules()}
        hooks = []
        for module in modes:
            hooks.append(module.register_forward_pre_hook(self._enter))
            hooks.append(module.register_forward_hook(self._leave))
        try:
            self._model.eval()
            with torch.no_grad(), self:
                self._model(*example)
        finally:
            for hook in hooks:
                hook.remove()
            for module, training in modes.items():
                module.training = training

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._stack.append(module)

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._stack.pop()
        dims = self._modules.get(module)
        if dims is None or not isinstance(output, Tensor):
            return
        x: Tensor = inputs[0]
        pooled = output if isinstance(module, tuple(CONVOLUTIONS)) else x
        call = Call(tuple(x.shape), x.dtype, x.device, tuple(output.shape), set())
        self.calls.setdefault(module, call).channels.add(int(pooled.shape[-dims - 1]))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Note calls of pooling functions by modules other than torch's pooling layers."""
        options, name = kwargs or {}, getattr(func, "__name__", "")
        if (name in FUNCTIONS or name in _OTHER_FUNCTIONS) and self._stack:
            module = self._stack[-1]
            if _kind(module)[0] in ("", "convolution"):
                place = _function_place(self._names[module], module, name, args, options)
                self.functions.setdefault((place.name, name), place)
        return func(*args, **options)


def function_places(observer: Observer, stride: int | None) -> Iterator[tuple[Place, str]]:
    """The calls of pooling functions, and the reasons why they are not replaced."""
    for (_, function), place in observer.functions.items():
        if not place.stride:
            yield place, f"its forward calls {function}"
        elif _is_wanted(place.stride, stride):
            yield place, f"its forward calls {function}: use pooling_modules first"
