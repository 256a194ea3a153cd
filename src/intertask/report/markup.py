"""A page in the project's style, out of its body."""

from importlib import resources
from xml.etree.ElementTree import Element

from intertask.markup import document, tag
from intertask.ours import GENERATOR


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
