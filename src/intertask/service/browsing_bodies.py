"""The bodies of requests and answers about items that nobody's history leads to: alike, frequent, new."""

from typing import Annotated, Self

from pydantic import Field, StrictInt, StrictStr, model_validator

from intertask.service.bodies import Properties
from intertask.service.fields import MOST_K, Body, Identifier, PageCursor
from intertask.service.list_bodies import ScoredItem


class SimilarBody(Body):
    """A request for items that are alike.

    Args:
        item: To which.
        k: Length of the page.
        cursor: Of the page before, in place of the item.
    """

    item: Identifier | None = None
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10
    cursor: PageCursor | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.item is None) == (self.cursor is None):
            raise ValueError("an item or a cursor, not both or neither")
        return self


class SimilarAnswer(Body):
    """Items and what puts them in this order: the cosine of two vectors, or a count.

    Args:
        model: The version that answered.
        items: Best first.
        cursor: Leads to the next page; only where there may be one.
    """

    model: str
    items: tuple[ScoredItem, ...]
    cursor: str | None = None


class PopularQuery(Body):
    """A request for what is most frequent; with a cursor, for the page behind it."""

    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10
    cursor: PageCursor | None = None


class LatestBody(Body):
    """A request for the items that were set last.

    Args:
        k: Length of the list.
        filter: A condition on their properties; the newest thousand are looked at.
        context: What it may name as context.NAME.
    """

    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10
    filter: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    context: Properties = {}


class NewItem(Body):
    """An item with the time when it was set first."""

    item: str
    since: str
    properties: Properties


class LatestAnswer(Body):
    """Items, the newest first; whether a model knows them does not matter."""

    items: tuple[NewItem, ...]
