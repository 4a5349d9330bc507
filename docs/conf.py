"""Sphinx configuration: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""

import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copy2, copytree

from sphinx.application import Sphinx

# Autodoc imports the working tree, installed or not.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "_extensions"))

import liftwave

project = "liftwave"
author = "The liftwave developers"
copyright = "The liftwave developers"
release = version = liftwave.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "related_names",
]
exclude_patterns = ["_build", "_extensions", "tables"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say shapes and dtypes, which says more
numpydoc_show_class_members = False  # the class template lists them

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "image_scrapers": ("matplotlib", "gallery_figures.scraper"),
    "backreferences_dir": "api/generated/examples",
    "doc_module": ("liftwave",),
    "plot_gallery": True,
    "abort_on_example_error": True,
    "capture_repr": (),
    "reset_modules": ("matplotlib", "gallery_figures.use_style"),
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 1000,
    "subsection_order": [
        f"../examples/gallery/{folder}" for folder in ("signals", "images", "learning", "practice")
    ],
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}

# Formulas need no network: the page loads MathJax from the site's own files.
mathjax_path = "mathjax/tex-chtml.js"

# These have no list of sections beside them.
WIDE_PAGES = [
    "index",
    *(f"benchmarks/{page.stem}" for page in Path(__file__).parent.glob("benchmarks/*.md")),
]

html_theme = "pydata_sphinx_theme"
html_title = f"liftwave {release}"
html_static_path = ["_static"]
html_css_files = ["liftwave.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": True,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"]} | {page: [] for page in WIDE_PAGES},
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}  # the theme follows the system
html_sidebars = {"index": []}


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy one component of MathJax with its fonts into the site."""
    if error is not None or app.builder.format != "html":
        return
    package = find_spec("mathjax")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the formulas need django-static-mathjax, see the extra docs")
    source = Path(package.origin).parent / "static" / "mathjax" / "es5"
    target = Path(app.outdir) / "_static" / "mathjax"
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    copytree(source / fonts, target / fonts, dirs_exist_ok=True)
    copy2(source / "tex-chtml.js", target)


def setup(app: Sphinx) -> None:
    """Register the step that copies MathJax."""
    app.connect("build-finished", copy_mathjax)
