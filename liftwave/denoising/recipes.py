"""The methods of denoising by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal, TypeAlias

from liftwave._numbers import is_one_of
from liftwave._typing import Array, ShrinkageRule
from liftwave.denoising.bands import Band, Recipe
from liftwave.denoising.bayesian import bivariate, bls_gsm
from liftwave.denoising.neighbourhoods import (
    blockjs,
    neighblock,
    neighcoeff,
    neighshrink,
    neighsure,
)
from liftwave.denoising.thresholds import THRESHOLDS
from liftwave.errors import ThresholdError
from liftwave.thresholding import threshold

Method: TypeAlias = Literal[
    "bayes",
    "sure",
    "visu",
    "fdr",
    "blockjs",
    "neighblock",
    "neighcoeff",
    "neighshrink",
    "neighsure",
    "bivariate",
    "bls-gsm",
]
"""The name of a method of denoising."""

_RECIPES: dict[str, Recipe] = {
    "blockjs": blockjs,
    "neighblock": neighblock,
    "neighcoeff": neighcoeff,
    "neighshrink": neighshrink,
    "neighsure": neighsure,
    "bivariate": bivariate,
    "bls-gsm": bls_gsm,
}
_RULES = ("soft", "hard", "garrote")


def recipe_of(method: str, rule: ShrinkageRule | None) -> Recipe:
    """The recipe of a method; ``rule`` shrinks by the threshold of methods that have one.

    Raises
    ------
    ThresholdError
        If the method or rule does not exist, or the method has no threshold and a rule is set.
    """
    if is_one_of(method, _RECIPES):
        if rule is not None:
            raise ThresholdError(
                f"method={method!r} shrinks without a threshold, so it has no rule: remove "
                f"rule={rule!r}, or use one of {_listed(THRESHOLDS)}"
            )
        return _RECIPES[method]
    if not is_one_of(method, THRESHOLDS):
        raise ThresholdError(
            f"unknown method {method!r}; use one of {_listed([*THRESHOLDS, *_RECIPES])}"
        )
    if rule is not None and not is_one_of(rule, _RULES):
        raise ThresholdError(f"unknown rule {rule!r}; use one of {_listed(_RULES)}")
    usual: ShrinkageRule = "hard" if method == "fdr" else "soft"
    return partial(_thresholded, method=method, rule=rule or usual)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _thresholded(
    band: Band, sigma: Array, samples: int, *, method: str, rule: ShrinkageRule
) -> Array:
    limit = THRESHOLDS[method](band.values, sigma, samples, band.axes, band.xp)
    return threshold(band.values, limit, rule)
