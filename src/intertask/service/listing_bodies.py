"""The bodies of requests and answers by which somebody looks through items and people."""

from typing import Annotated

from pydantic import Field, StrictInt, StrictStr

from intertask.service.bodies import ItemBody, Properties
from intertask.service.fields import LONGEST_ID, MOST_K, Body, PageCursor


class ThingsQuery(Body):
    """What is looked through: all that was set, in the order of the ids.

    Args:
        begins: What the ids begin with; all if left out.
        k: Length of the page.
        cursor: Of the page before, in place of `begins`.
    """

    begins: Annotated[StrictStr, Field(max_length=LONGEST_ID)] | None = None
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 100
    cursor: PageCursor | None = None


class ItemsAnswer(Body):
    """Items that were set.

    Args:
        items: By their ids.
        cursor: Leads to the next page; only where there may be one.
    """

    items: tuple[ItemBody, ...]
    cursor: str | None = None


class ListedUser(Body):
    """Somebody with events or properties.

    Args:
        user: Their id.
        properties: What was set.
        last_event: When it was; null where there is none.
    """

    user: str
    properties: Properties
    last_event: str | None


class UsersAnswer(Body):
    """Users with events or properties.

    Args:
        users: By their ids.
        cursor: Leads to the next page; only where there may be one.
    """

    users: tuple[ListedUser, ...]
    cursor: str | None = None


class MatchingBody(Body):
    """A condition that is tried on the items of the active model, before a list or a rule has it.

    Args:
        filter: The condition.
        user: Whose properties it may name as user.NAME.
        context: What it may name as context.NAME.
        k: How many items that meet it are shown.
    """

    filter: Annotated[StrictStr, Field(min_length=1, max_length=2_000)]
    user: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)] | None = None
    context: Properties = {}
    k: Annotated[StrictInt, Field(ge=0, le=MOST_K)] = 10


class MatchingAnswer(Body):
    """How many items meet a condition.

    Args:
        model: The version whose items they are.
        matches: Items that can be recommended and meet it.
        of: Items that can be recommended.
        items: The first of them.
    """

    model: str
    matches: int
    of: int
    items: tuple[str, ...]
