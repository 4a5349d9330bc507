"""The documentation builds without a warning, and its pages work in a browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import browse_docs
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("docs", "examples", "benchmarks")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
PACKAGES = (
    *("sphinx", "numpydoc", "myst_parser", "pydata_sphinx_theme", "mathjax", "nibabel"),
    *("sphinx_copybutton", "sphinx_design", "sphinx_gallery"),
)

PAGE = """<html><head><title>A page</title></head><body><main id="top">
<a href="other.html#missing">a</a> <a href="other.html#there">b</a> <a href="gone.html">c</a>
<a href="#top">d</a> <a href="https://example.org/x">e</a>
<p style="width: 800px">wide</p> <img src="gone.png"> <div style="overflow-x: auto"><p
style="width: 2000px">wide, but its box scrolls</p></div></main></body></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built with warnings as errors."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        pytest.skip(f"the docs extra is not installed: no {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("site")  # the build writes into its sources
    for name in SOURCES:
        ignored = shutil.ignore_patterns("_build", "gallery" if name == "docs" else "", "generated")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in PAGES:
        shutil.copy2(ROOT / name, folder)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    result = subprocess.run(
        [*command, str(folder / "docs"), str(folder / "html")],
        cwd=ROOT,  # for liftwave
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def chromium() -> str:
    """The program of Chromium, which playwright drives."""
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed")
    program = browse_docs.find_chromium()
    if program is None:
        pytest.skip(f"Chromium is not installed: no {', '.join(browse_docs.PROGRAMS)}")
    return program


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(site: Path) -> None:
    assert (site / "index.html").is_file()
    assert len(list((site / "gallery").rglob("plot_*.html"))) >= 12


@pytest.mark.slow
@pytest.mark.usefixtures("chromium")
def test_pages_work_in_a_browser(site: Path) -> None:
    assert browse_docs.browse(site) == []


# --- what the check sees -------------------------------------------------------------------------


@pytest.fixture
def broken_site(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "other.html").write_text('<p id="there">', encoding="utf-8")
    return tmp_path


def test_broken_links_are_found(broken_site: Path) -> None:
    assert browse_docs.broken_links(broken_site) == [
        "page.html: broken link other.html#missing",
        "page.html: broken link gone.html",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("chromium")
def test_broken_pages_are_found(broken_site: Path) -> None:
    with browse_docs.served(broken_site) as address, browse_docs.opened_browser() as browser:
        problems = browse_docs.check_pages(browser.new_context(), address, ["page.html"])
    text = "\n".join(problems)
    assert "404: " in text
    assert "page.html: no alternative text: " in text
    assert "page.html: scrolls sideways on a phone: P." in text
    assert "on a screen" not in text
