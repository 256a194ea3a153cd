"""One drawing as SVG that takes the page's colours, and as PNG that stands alone. Needs matplotlib.

Matplotlib is imported when something is drawn and never before; its global state is left as it was. An SVG
refers to the page's colours (`var(--ink)`), so that one drawing is legible in light and in dark.
"""

import importlib
import io
import re
import textwrap
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from intertask.terminal.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1c2127", "#5b6470", "#dfe3e8"
# Okabe and Ito's colour-blind-safe palette, in the order in which it is used; the model is always the first.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid"} | {
    colour: f"--series-{place}" for place, colour in enumerate(SERIES, start=1)
}
_INCHES = 5.0  # as wide as a column of the page, so that text keeps its size; on a telephone nearly so


@dataclass(frozen=True)
class Plot:
    """A drawing. `name` is the file name of its PNG, without the ending."""

    name: str
    title: str
    svg: Element
    png: bytes


def available() -> bool:
    """Whether plots can be drawn here."""
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        return False
    return True


def slug(*words: str) -> str:
    """A file name out of any words; different words never share one, whatever characters they hold."""
    return "-".join(_plain(word) for word in words)


def _plain(word: str) -> str:
    plain = re.sub(r"[^a-z0-9_]+", "-", word.lower()).strip("-")[:40]
    if re.fullmatch(r"[a-z0-9_]{1,40}(@\d+)?", word):
        return plain
    return f"{plain or 'x'}-{zlib.crc32(word.encode(errors='surrogatepass')):08x}"


def draw(
    name: str,
    title: str,
    footer: str,
    paint: Callable[["Axes"], None],
    *,
    height: float = 3.2,
) -> Plot:
    """What `paint` puts on one pair of axes.

    Args:
        name: File name without ending.
        title: What is shown; on the page it stands above the drawing, in the PNG inside it.
        footer: The conditions under which the figures were measured; in the PNG only.
        height: Inches.
    """
    import matplotlib as mpl

    title, footer = printable(title), printable(footer)
    with mpl.rc_context(_style(name)), warnings.catch_warnings():
        # A name in a script that the font does not have is drawn as boxes in the PNG, and right on the page.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        from matplotlib.figure import Figure

        figure = Figure(figsize=(_INCHES, height), layout="constrained")
        axes = figure.add_subplot()
        paint(axes)
        svg = _themed(_saved(figure, "svg", name), name, title)
        above, below = textwrap.fill(title, 58), textwrap.fill(footer, 118)
        figure.suptitle(above, x=0.01, ha="left", fontsize=10, fontweight="bold")
        figure.supxlabel(below, x=0.01, ha="left", fontsize=5.5, color=MUTED)
        figure.set_figheight(height + 0.18 * (above.count("\n") + 1) + 0.1 * (below.count("\n") + 1))
        return Plot(name, title, svg, _saved(figure, "png", name))


def _style(name: str) -> dict[Any, object]:  # matplotlib types its keys, in some versions only
    return {
        "svg.fonttype": "none",  # text stays text: sharp, searchable, in the page's font
        "svg.hashsalt": name,  # the same figures give the same file
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "axes.formatter.use_mathtext": False,
        "font.size": 9.5,
        "text.color": INK,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "savefig.dpi": 200,
    }


def is_plot(file: Path) -> bool:
    """Whether a file is a PNG that was drawn here, under its own name."""
    with file.open("rb") as handle:
        head = handle.read(4096)
    title = b"Title\0" + file.stem.encode()
    return b"tEXtSoftware\0intertask" in head and len(title).to_bytes(4, "big") + b"tEXt" + title in head


def _saved(figure: "Figure", form: str, name: str) -> bytes:
    buffer = io.BytesIO()
    # A PNG says what it is, so that no other is ever taken for it and deleted.
    metadata = {"Date": None} if form == "svg" else {"Software": "intertask", "Title": name}
    figure.savefig(buffer, format=form, transparent=form == "svg", metadata=metadata)
    return buffer.getvalue()


def _themed(svg: bytes, name: str, title: str) -> Element:
    """The SVG for use inside a page: no namespaces, no metadata, its own ids, the page's colours and font."""
    root = ElementTree.fromstring(printable(svg.decode(), keep="\n\t"))
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:  # its style sheet would style the whole page
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        attributes = {_local(key): _attribute(_local(key), value, name) for key, value in element.items()}
        element.attrib.clear()
        element.attrib.update(attributes)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib.update({"role": "img", "aria-label": title})
    return root


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return value.replace("#", f"#{name}-", 1)
    value = value.replace("url(#", f"url(#{name}-")
    if key == "style":
        value = re.sub(r"font-family:[^;]*;?|font: ([\d.]+px)[^;]*;?", _font_size, value)
        value = re.sub("#[0-9a-f]{6}", lambda match: _variable(match[0]), value)
    return value


def _font_size(match: re.Match[str]) -> str:
    return f"font-size: {match[1]};" if match[1] else ""


def _variable(colour: str) -> str:
    return f"var({_VARIABLES[colour]})" if colour in _VARIABLES else colour
