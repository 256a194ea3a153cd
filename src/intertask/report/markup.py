"""A page in the project's style, out of its body."""

from collections.abc import Sequence
from importlib import resources
from xml.etree.ElementTree import Element

from intertask.report.canvas import Plot
from intertask.storage.ours import GENERATOR
from intertask.terminal.markup import document, tag


def standing_alone(title: str, body: Element) -> str:
    """A page with the project's style that needs nothing beside it, as HTML text."""
    style = resources.files("intertask.report").joinpath("page.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="generator", content=GENERATOR),  # by which it is known to be ours
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", style),
    )
    return document(tag("html", head, tag("body", body), lang="en"))


def figure(plot: Plot) -> Element:
    """A plot with its title."""
    return tag("figure", tag("figcaption", plot.title), plot.svg)


def gallery(plots: Sequence[Plot], line: str) -> list[Element]:
    """Plots beside each other, and how they were measured below them."""
    if not plots:
        return []
    below = [tag("p", line, class_="quiet")] if line else []
    return [tag("div", *map(figure, plots), class_="gallery"), *below]


def details(summary: str, *content: Element, opened: bool = False) -> Element:
    """What is folded away below its summary."""
    element = tag("details", tag("summary", summary), *content)
    if opened:
        element.set("open", "open")
    return element
