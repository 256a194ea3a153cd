"""Settings of the site's generator, which `make docs` runs; the pages themselves are plain Markdown."""

from sphinx.application import Sphinx

project = "intertask"
extensions = ["myst_parser"]
exclude_patterns = ["programs"]
myst_heading_anchors = 3  # headings get the names that repository browsers give them
html_theme = "furo"
html_title = "intertask"
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_theme_options = {"navigation_with_keys": True}

# The pages of the menu, below the page that introduces them. They stand here and not in the pages, where a
# repository browser would show them as code.
MENU = {
    "index": (
        "start",
        "concepts",
        "guides/index",
        "reference/index",
        "evidence/index",
        "decisions/index",
        "lab/index",
    ),
    "guides/index": (
        "guides/own-log",
        "guides/choosing",
        "guides/report",
        "guides/live-lists",
        "guides/python",
        "guides/rows",
        "guides/kinds",
        "guides/new-items",
        "guides/people",
        "guides/several-logs",
        "guides/tune",
        "guides/service",
        "guides/service-lists",
        "guides/operations",
        "guides/gorse",
        "guides/encoder",
        "guides/modality",
    ),
    "reference/index": (
        "reference/recipe",
        "reference/data",
        "reference/inputs",
        "reference/model",
        "reference/tasks",
        "reference/datasets",
        "reference/baselines",
        "reference/commands",
        "reference/python",
        "reference/python_rows",
        "reference/python_runs",
        "reference/json",
        "reference/evaluation",
    ),
    "evidence/index": (
        "evidence/results/index",
        "evidence/tables/index",
        "evidence/kinds",
        "evidence/rows",
        "evidence/service",
        "evidence/levers",
        "evidence/speed",
    ),
    "evidence/results/index": ("evidence/results/*",),
    "evidence/tables/index": ("evidence/tables/*",),
    "decisions/index": ("decisions/*",),
    "lab/index": ("lab/*",),
}


def add_menu(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the part of the menu that belongs to a page."""
    if page in MENU:
        folder = f"{page.rpartition('/')[0]}/" if "/" in page else ""
        names = "\n".join(name.removeprefix(folder) for name in MENU[page])
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{names}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_menu)
