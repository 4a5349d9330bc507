"""The docstrings of layers: complete for each number of dimensions, with examples that run."""

from __future__ import annotations

import doctest
import inspect
import re

import pytest
from test_house import described_parameters, sections

import liftwave.torch as lwt

LAYERS = [name for name in lwt.__all__ if re.search(r"[123]d$", name)]
MODULES = [name for name in lwt.__all__ if hasattr(getattr(lwt, name), "forward")]


@pytest.mark.parametrize("name", MODULES)
def test_signatures_have_names_and_types(name: str) -> None:
    """Editors and type checkers find each parameter, its type, and a docstring of the class."""
    layer = getattr(lwt, name)
    assert vars(layer).get("__doc__")
    for function in (layer, layer.forward):
        parameters = inspect.signature(function).parameters.values()
        kinds = {parameter.kind for parameter in parameters}
        assert not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        untyped = {p.name for p in parameters if p.annotation is inspect.Parameter.empty}
        assert untyped <= {"self"}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_complete_docstrings(name: str) -> None:
    layer = getattr(lwt, name)
    found = sections(layer.__doc__)
    assert {"Parameters", "Raises", "Notes", "Examples"} <= set(found)
    assert described_parameters(found["Parameters"]) == set(inspect.signature(layer).parameters)
    assert "$" not in layer.__doc__
    assert "As for :class:" not in layer.__doc__, "the reader has to open another page"
    assert max(map(len, layer.__doc__.splitlines())) <= 100


@pytest.mark.parametrize("name", LAYERS)
def test_docstrings_name_the_dimensions_of_the_layer(name: str) -> None:
    text = getattr(lwt, name).__doc__
    dimensions = int(name[-2])
    names = re.findall(r"\b[A-Za-z]+([123])d\b", text)
    assert set(names) <= {str(dimensions)}, "a layer of other dimensions"
    shape = {1: "(C, L)", 2: "(C, H, W)", 3: "(C, D, H, W)"}[dimensions]
    assert shape in text or "shape[-" in text


@pytest.mark.parametrize("name", LAYERS)
def test_examples_use_the_layer(name: str) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(lwt, name), name)
    assert any(name in example.source for example in test.examples)
    assert any(example.want for example in test.examples)


def test_layers_are_found() -> None:
    assert {"DWT1d", "IDWT3d", "AdaUnpool2d", "LDWPool3d", "Scalogram1d"} <= set(LAYERS)
