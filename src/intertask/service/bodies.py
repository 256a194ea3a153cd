"""The bodies of requests and answers about events, items and users.

Everything that comes is checked here, before anything is done.
"""

from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictStr, model_validator

from intertask.service.fields import (
    MOST_EVENTS,
    MOST_IDS,
    MOST_PROPERTIES,
    Body,
    Identifier,
    Moment,
    Number,
    Scalar,
    Word,
)


class Event(Body):
    """Something that a user did.

    Args:
        id: Unique; the same event may be sent again under it. Made by the service if left out.
        user: Who.
        item: What.
        behaviour: Which kind of event.
        time: When; the moment of its arrival if left out.
        value: A price, a rating, a number of seconds.
        session: Of the client.
        recommendation: The id of the answer that led to it.
    """

    id: Identifier | None = None
    user: Identifier
    item: Identifier
    behaviour: Word
    time: Moment | None = None
    value: Number | None = None
    session: Identifier | None = None
    recommendation: Identifier | None = None


class EventsBody(Body):
    """Events, in the order in which they happened where they have no times."""

    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class EventsAnswer(Body):
    """What became of them.

    Args:
        stored: New ones; they are on disk.
        duplicates: Ones whose id was stored before, with the same contents.
        late: New ones that happened before an event of the same user that was stored already.
        unknown_items: New ones of items that the active model does not know.
        seq: The number of the newest event.
        replayed: Whether this is the answer of an earlier request with the same Idempotency-Key.
    """

    stored: int
    duplicates: int
    late: int
    unknown_items: int
    seq: int
    replayed: bool


Properties = Annotated[
    dict[Word, Scalar | Annotated[list[StrictStr], Field(max_length=1_000)]],
    Field(max_length=MOST_PROPERTIES),
]


class ItemBody(Body):
    """An item with what is known of it."""

    item: Identifier
    properties: Properties = {}
    hidden: StrictBool = False


class ItemsBody(Body):
    """Items; what they were before is replaced."""

    items: Annotated[tuple[ItemBody, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class ItemPatch(Body):
    """What changes of an item: properties that are null are taken away, others that are not named stay."""

    item: Identifier
    properties: Properties = {}
    hidden: StrictBool | None = None


class ItemsPatch(Body):
    """Changes of items."""

    items: Annotated[tuple[ItemPatch, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class HideBody(Body):
    """Items that are hidden, or shown again."""

    items: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_IDS)]
    hidden: StrictBool = True


class ItemQuery(Body):
    """Which item."""

    item: Identifier


class UserBody(Body):
    """A user with what is known of them."""

    user: Identifier
    properties: Properties = {}


class UsersBody(Body):
    """Users; what they were before is replaced."""

    users: Annotated[tuple[UserBody, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class UsersPatch(Body):
    """Changes of users: properties that are null are taken away, others that are not named stay."""

    users: Annotated[tuple[UserBody, ...], Field(min_length=1, max_length=MOST_EVENTS)]


class UserQuery(Body):
    """Which user."""

    user: Identifier


class ShownEvent(Body):
    """An event as it is stored."""

    id: str
    item: str
    behaviour: str
    time: str
    value: float | None
    session: str | None
    recommendation: str | None


class UserAnswer(Body):
    """A user and their last events, oldest first."""

    user: str
    properties: Properties
    events: tuple[ShownEvent, ...]


class MergeBody(Body):
    """Whose events become whose."""

    user: Identifier
    into: Identifier

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.user == self.into:
            raise ValueError("two users, not one twice")
        return self


class DoneAnswer(Body):
    """Whether anything is other than before."""

    changed: bool
