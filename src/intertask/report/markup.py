"""HTML as a tree of elements, so that nothing a user wrote can become markup.

Text enters as text and is escaped when the tree is written; what cannot be printed, and no XML may hold, is
written out. Knows nothing of what the page says.
"""

from importlib import resources
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from intertask.printable import printable

Content = Element | str | None


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


def standing_alone(title: str, body: Element) -> str:
    """A page with the project's style that needs nothing beside it, as HTML text."""
    style = resources.files("intertask.report").joinpath("page.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", style),
    )
    return document(tag("html", head, tag("body", body), lang="en"))


def document(root: Element) -> str:
    """The page as HTML text."""
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
