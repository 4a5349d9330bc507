"""Open every page of the built documentation in a headless Chromium, and check it.

    python tests/browse_docs.py SITE [--screenshots FOLDER]

Serves the folder SITE on the loopback. On each page, at the width of a phone and of a screen: no
errors in the console, no request beyond the loopback, no horizontal scrolling, all pictures are
loaded and have an alternative text, all formulas are displayed. Then the search, the buttons that
copy code, the theme and the keyboard. Links are checked in the files. Needs playwright, Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    Check = Callable[[BrowserContext, str], list[str]]

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = {"phone": 390, "screen": 1400}
MAIN_PAGES = (
    *("index", "tutorials", "getting_started", "howto", "explanation", "benchmarks/index"),
    *("gallery/index", "gallery/images/plot_deblurring", "api/index", "api/transforms"),
    *("api/generated/liftwave.wavedec2", "api/generated/liftwave.torch.LiftDownPool2d"),
    *("guide/gpu", "guide/modes", "porting", "theory", "glossary", "benchmarks/peers"),
)

# Boxes that end beyond the page, outside of boxes that scroll by themselves.
OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX)
        && e !== document.body && e.scrollWidth > e.clientWidth || scrolls(e.parentElement));
    const content = document.querySelector("main, body");
    const boxes = [...content.querySelectorAll("*")].filter((e) =>
        e.getBoundingClientRect().right > width + 1 && e.checkVisibility() && !scrolls(e)
        && !e.closest("mjx-assistive-mml"));
    const text = boxes.slice(0, 3).map((e) => e.tagName + "." + e.className).join(", ");
    return text || (document.documentElement.scrollWidth > width ? "the page" : "");
}"""
PICTURES = """async () => {
    const images = [...document.images];
    for (const image of images) image.loading = "eager";
    await Promise.all(images.map((image) => image.decode().catch(() => null)));
    const broken = images.filter((image) => !image.naturalWidth).map((image) => image.src);
    // The pictures of the list of examples are beside their titles.
    const silent = images.filter((i) => !i.alt.trim() && !i.closest(".sphx-glr-thumbcontainer"));
    return broken.concat(silent.map((image) => "no alternative text: " + image.src));
}"""
FORMULAS = """async () => {
    const formulas = document.querySelectorAll(".math").length;
    if (!formulas) return "";
    await MathJax.startup.promise;
    const errors = document.querySelectorAll("mjx-merror").length;
    const shown = document.querySelectorAll(".math mjx-container").length;
    return shown < formulas || errors ? `${shown} of ${formulas} formulas, ${errors} errors` : "";
}"""


def find_chromium() -> str | None:
    """The program of Chromium, if one is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


# --- files ---------------------------------------------------------------------------------------


class Anchors(HTMLParser):
    """The links and the targets of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the target of a link, and the name of an element."""
        attributes = dict(attrs)
        if tag == "a" and (href := attributes.get("href")):
            self.links.append(href)
        self.names |= {name for key in ("id", "name") if (name := attributes.get(key))}


def pages_of(site: Path) -> list[Path]:
    """All pages, without templates among the static files."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def broken_links(site: Path) -> list[str]:
    """The links between pages that have no target."""
    anchors = {path: Anchors(path.read_text(encoding="utf-8")) for path in pages_of(site)}
    return [
        f"{page.relative_to(site)}: broken link {link}"
        for page, found in anchors.items()
        for link in dict.fromkeys(found.links)
        if not _has_target(site, page, link, anchors)
    ]


def _has_target(site: Path, page: Path, link: str, anchors: dict[Path, Anchors]) -> bool:
    if urlsplit(link).scheme:
        return True
    address, name = urldefrag(urljoin(page.relative_to(site).as_posix(), link))
    target = site / unquote(address)
    if target in anchors:
        return not name or unquote(name) in anchors[target].names
    return target.is_file()


# --- pages in the browser ------------------------------------------------------------------------


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    """The address at which the loopback serves a folder."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextlib.contextmanager
def opened_browser() -> Iterator[Browser]:
    """Headless Chromium. As root, it runs without its sandbox, which it then refuses."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.name == "posix" and os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def watched_page(context: BrowserContext, address: str, problems: list[str]) -> Page:
    """A page whose errors are added to a list; requests to other hosts fail."""
    page = context.new_page()

    def note(problem: str) -> None:
        problems.append(f"{page.url.removeprefix(address)}: {problem}")

    page.on("console", lambda m: note(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("requestfailed", lambda request: note(f"request failed: {request.url}"))
    page.on("response", lambda r: note(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.route(lambda url: not url.startswith((address, "data:")), lambda route: route.abort())
    return page


def check_pages(context: BrowserContext, address: str, names: list[str]) -> list[str]:
    """The problems of all pages, at both widths."""
    problems: list[str] = []
    page = watched_page(context, address, problems)
    for name in names:
        page.goto(f"{address}/{name}", wait_until="load")
        problems += [f"{name}: {picture}" for picture in page.evaluate(PICTURES)]
        if formulas := page.evaluate(FORMULAS):
            problems.append(f"{name}: {formulas}")
        for device, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            if boxes := page.evaluate(OVERFLOW):
                problems.append(f"{name}: scrolls sideways on a {device}: {boxes}")
    return problems


def check_search(context: BrowserContext, address: str) -> list[str]:
    """Whether the search finds the page of ``wavedec2``."""
    problems: list[str] = []
    page = watched_page(context, address, problems)
    page.goto(f"{address}/search.html?q=wavedec2")
    link = page.locator("#search-results a[href*='liftwave.wavedec2']").first
    with contextlib.suppress(Exception):  # a timeout is the problem that is reported
        link.wait_for(timeout=20_000)
    return problems if link.count() else [*problems, "the search does not find wavedec2"]


def check_copying(context: BrowserContext, address: str) -> list[str]:
    """Whether a button copies code without prompts and output."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    problems: list[str] = []
    page = watched_page(context, address, problems)
    page.goto(f"{address}/getting_started.html")
    block = page.locator("div.highlight", has_text=">>> import numpy as np").first
    block.hover()
    block.locator("button.copybtn").click()
    page.wait_for_timeout(200)
    copied = page.evaluate("navigator.clipboard.readText()")
    if "import liftwave as lw" not in copied or ">>>" in copied or "True" in copied:
        problems.append(f"the button copies {copied!r}")
    return problems


def check_theme_and_keyboard(context: BrowserContext, address: str) -> list[str]:
    """Whether the button changes the theme, and the first key leads to the link to the content."""
    problems: list[str] = []
    page = watched_page(context, address, problems)
    page.set_viewport_size({"width": WIDTHS["screen"], "height": 900})
    page.goto(f"{address}/index.html")
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.getAttribute('href')") != "#main-content":
        problems.append("the first Tab does not lead to the link to the content")
    page.reload()  # hides that link, which covers the button
    themes = set()
    for mode in ("dark", "light"):
        page.locator("button.theme-switch-button:visible").click()
        page.locator(f"button.theme-change-button[data-mode='{mode}']:visible").click()
        themes.add(page.evaluate("document.documentElement.dataset.theme"))
    return problems if themes == {"dark", "light"} else [*problems, f"themes: {themes}"]


def attempted(check: Check, context: BrowserContext, address: str) -> list[str]:
    """The problems that a check finds; an error of the browser is a problem, too."""
    from playwright.sync_api import Error

    try:
        return check(context, address)
    except Error as error:
        return [f"{check.__name__}: {error}"]


def take_screenshots(browser: Browser, address: str, folder: Path) -> None:
    """Pictures of the main pages, in both themes and widths."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for device, width in WIDTHS.items():
            size = {"width": width, "height": 900}
            context = browser.new_context(color_scheme=theme, viewport=size)
            page = context.new_page()
            for name in MAIN_PAGES:
                page.goto(f"{address}/{name}.html", wait_until="networkidle")
                page.screenshot(path=folder / f"{name.replace('/', '-')}-{device}-{theme}.png")
            context.close()


def browse(site: Path, screenshots: Path | None = None) -> list[str]:
    """All problems of a site."""
    problems = broken_links(site)
    names = [path.relative_to(site).as_posix() for path in pages_of(site)]
    with served(site) as address, opened_browser() as browser:
        context = browser.new_context()
        problems += check_pages(context, address, names)
        for check in (check_search, check_copying, check_theme_and_keyboard):
            problems += attempted(check, context, address)
        if screenshots is not None:
            take_screenshots(browser, address, screenshots)
    print(f"{len(names)} pages, {len(problems)} problems")
    return problems


def main() -> int:
    """Print the problems of a site; 1 if there are some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--screenshots", type=Path)
    options = parser.parse_args()
    if find_chromium() is None:
        sys.exit(f"Chromium is not installed: none of the programs {', '.join(PROGRAMS)} was found")
    problems = browse(options.site.resolve(), options.screenshots)
    print("\n".join(problems))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
