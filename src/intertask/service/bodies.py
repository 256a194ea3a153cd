"""The bodies of requests and answers about events, lists, items and users.

Everything that comes is checked here, before anything is done.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from intertask.service.fields import (
    MOST_EVENTS,
    MOST_HISTORY,
    MOST_IDS,
    MOST_K,
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


class PastEvent(Body):
    """An event of a history that comes with the request."""

    item: Identifier
    behaviour: Word | None = None
    time: Moment | None = None


class SeenRule(Body):
    """Which items of the user's own events are left out.

    Args:
        behaviours: Of events of these; of all if left out.
        days: Of the last days; of all time if left out.
    """

    behaviours: Annotated[tuple[Word, ...], Field(max_length=255)] = ()
    days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None


class RecommendBody(Body):
    """A request for a list.

    Args:
        user: Whose stored events are read.
        history: Events that are not stored, behind the stored ones.
        k: Length of the list.
        behaviour: Recommend the next item of this behaviour.
        task: Use the task of this name.
        objective: Tasks and their weights, in place of a behaviour or a task.
        allow: Recommend these items only.
        deny: Never recommend these.
        filter: Recommend items only whose catalogue columns meet this condition.
        seen: false leaves nothing out, true every item of the user's events; the recipe decides if left out.
        at: The moment of the request, for a model with query time; that of the last event if left out.
    """

    user: Identifier | None = None
    history: Annotated[tuple[PastEvent, ...], Field(max_length=MOST_HISTORY)] | None = None
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10
    behaviour: Word | None = None
    task: Word | None = None
    objective: Annotated[dict[Word, Number], Field(min_length=1, max_length=64)] | None = None
    allow: Annotated[tuple[Identifier, ...], Field(max_length=MOST_IDS)] | None = None
    deny: Annotated[tuple[Identifier, ...], Field(max_length=MOST_IDS)] | None = None
    filter: Annotated[StrictStr, Field(max_length=2_000)] | None = None
    seen: StrictBool | SeenRule | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.user is None and self.history is None:
            raise ValueError("a user or a history, not neither")
        return self


class ScoredItem(Body):
    """An item of a list."""

    item: str
    score: float


class RecommendAnswer(Body):
    """A list.

    Args:
        recommendation: The id of this answer, to be sent with the events that it leads to.
        model: The version that answered.
        items: Best first.
        unknown: How many ids of the request changed nothing, by where they stood.
        degraded: "store" where the stored events could not be read, "model" where popularity answers.
        cursor: Where the list goes on: `POST /v1/recommend/next`; null at its end.
    """

    recommendation: str
    model: str
    items: tuple[ScoredItem, ...]
    unknown: dict[str, int]
    degraded: Literal["store", "model"] | None
    cursor: str | None


class NextBody(Body):
    """A request for the next page of a list.

    Args:
        cursor: Of the page before. The same cursor gives the same page.
        k: Length of the page; that of the first one if left out.
    """

    cursor: Annotated[StrictStr, Field(min_length=1, max_length=65_536)]
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] | None = None


class SimilarBody(Body):
    """A request for items that are alike."""

    item: Identifier
    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10


class SimilarAnswer(Body):
    """Items that are alike, by the cosine of their vectors."""

    model: str
    items: tuple[ScoredItem, ...]


class PopularQuery(Body):
    """A request for what is most frequent."""

    k: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 10


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
