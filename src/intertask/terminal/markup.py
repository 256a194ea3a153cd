"""HTML as a tree of elements, so that nothing a user wrote can become markup.

Text enters as text and is escaped when the tree is written; what cannot be printed, and no XML may hold, is
written out. Knows nothing of what is said.
"""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from intertask.terminal.printable import printable

Content = Element | str | None
Rows = tuple[Sequence[str], Sequence[Sequence[str]]]  # a header, and what stands below it


def tag(name: str, /, *content: Content, **attributes: str) -> Element:
    """An element with its content; `None` is left out. A trailing underscore frees a word: `class_="num"`."""
    named = {key.rstrip("_").replace("_", "-"): printable(value) for key, value in attributes.items()}
    element = Element(name, named)
    for part in content:
        if isinstance(part, Element):
            element.append(part)
        elif part:
            _append_text(element, printable(part, keep="\n\t"))
    return element


def theirs(text: str) -> Element:
    """Text in a user's own words, kept apart from ours whichever way it is written."""
    return tag("bdi", text)


def document(root: Element) -> str:
    """The page as HTML text."""
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def card(title: str, facts: Sequence[tuple[str, str]], *tables: Rows) -> str:
    """What a notebook shows of an object: its name, facts, and small tables of a header and rows.

    It has no colours of its own, so that it can be read on light and on dark ground.
    """
    parts = [tag("strong", theirs(title)), _table([_row("td", fact) for fact in facts])]
    for header, body in tables:
        parts.append(_table([_row("th", header), *(_row("td", row) for row in body)]))
    whole = tag("div", *parts, style="overflow-x:auto;max-width:100%")
    return ElementTree.tostring(whole, encoding="unicode", method="html")


def _table(rows: Sequence[Element]) -> Element:
    return tag("table", tag("tbody", *rows), style="border-collapse:collapse;text-align:left;margin-top:.5em")


def _row(cell: str, texts: Sequence[str]) -> Element:
    cells = (tag(cell, theirs(text), style="text-align:left;padding-right:1em") for text in texts)
    return tag("tr", *cells, style="border-bottom:1px solid rgba(128,128,128,.35)")
