"""The parts of a release: one version number, and the configuration of its wheels."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import liftwave as lw

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLACES = {
    "CITATION.cff": r"^version: (\S+)$",
    "recipe/recipe.yaml": r'^  version: "(\S+)"$',
    "CHANGELOG.md": r"^## (\S+)",
}


def test_the_version_is_the_same_everywhere() -> None:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PLACES}
    versions = {name: re.search(PLACES[name], text, re.M)[1] for name, text in texts.items()}  # type: ignore[index]
    assert versions == dict.fromkeys(PLACES, lw.__version__)


def test_the_recipe_has_the_dependencies_of_the_package() -> None:
    recipe = (ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
    build, run = PROJECT["build-system"]["requires"], PROJECT["project"]["dependencies"]
    for requirement in [*build, *run, "python" + PROJECT["project"]["requires-python"]]:
        assert f"- {requirement.lower().replace('>=', ' >=')}\n" in recipe, requirement


def test_wheels_have_all_instruction_sets_and_tests_that_exist() -> None:
    wheels = PROJECT["tool"]["cibuildwheel"]
    for part in (wheels, wheels["macos"]):
        assert part["environment"]["LIFTWAVE_BUILD"] == "required"
        assert part["environment"]["LIFTWAVE_ISAS"] == "all"
    commands = " ".join(wheels["test-command"])
    files = re.findall(r"\{project\}/(\S+)", commands)
    assert files
    assert all((ROOT / name).is_file() for name in files)
