"""Pictures of the gallery: figures that the methods ``plot`` of liftwave return.

Matplotlib's own scraper finds figures of ``pyplot`` only.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

_saved: WeakSet[Figure] = WeakSet()


def scraper(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the new figures among the variables of an example, and return their markup."""
    paths, texts = [], []
    for value in block_vars["example_globals"].values():
        # Figures of pyplot have a number.
        if not isinstance(value, Figure) or value in _saved or hasattr(value, "number"):
            continue
        _saved.add(value)
        path = next(block_vars["image_path_iterator"])
        value.savefig(path, dpi=90)
        paths.append(path)
        texts.append(alternative_text(value))
    return figure_rst(paths, gallery_conf["src_dir"], "; ".join(texts))


def alternative_text(figure: Figure) -> str:
    """The titles in a figure, for readers who do not see it."""
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    return ", ".join(title for title in titles if title)


def use_style(gallery_conf: dict[str, Any], fname: str) -> None:
    """Settings of matplotlib for each example."""
    plt.rcParams.update(
        {
            "figure.dpi": 90,
            "savefig.dpi": 90,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 10,
            "font.size": 10,
            "legend.frameon": False,
            "image.cmap": "gray",
        }
    )
