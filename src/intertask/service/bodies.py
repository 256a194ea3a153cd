"""The bodies of requests and answers. Everything that comes is checked here, before anything is done.

Ids are texts; a whole number stands for its spelling. Times are text of RFC 3339 with an offset.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from intertask.data.columns import EDGES
from intertask.service.jobs import State
from intertask.service.schema import now
from intertask.service.tenants import Role

LONGEST_ID = 200
MOST_EVENTS = 5_000
MOST_HISTORY = 1_000
MOST_IDS = 10_000
MOST_K = 1_000
MOST_PROPERTIES = 100
LONGEST_TEXT = 10_000
_FILE = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.(csv|tsv|txt|jsonl|ndjson|parquet)(\.gz)?$"
AHEAD = 86_400_000_000  # microseconds: clocks of clients are wrong by hours
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _identifier(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("an id: text or a whole number")
    text = value.strip(EDGES)
    if not text:
        raise ValueError("an id of at least one character")
    if len(text) > LONGEST_ID:
        raise ValueError(f"an id of at most {LONGEST_ID} characters, not one of {len(text):,}")
    return text


def _moment(value: object) -> object:
    """Microseconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("a time such as 2026-12-01T10:00:00Z, not a number")
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a time with its offset such as 2026-12-01T10:00:00Z")
    try:
        found = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time that there is, such as 2026-12-01T10:00:00Z") from None
    moment = (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if not 0 <= moment <= now() + AHEAD:
        raise ValueError("a time from 1970 on and not later than tomorrow")
    return moment


def spelled(moment: int) -> str:
    """A moment as it is written."""
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return found.isoformat().replace("+00:00", "Z")


def _finite(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a finite number")
    return float(value)


Identifier = Annotated[StrictStr, BeforeValidator(_identifier, json_schema_input_type=str | int)]
Moment = Annotated[StrictInt, BeforeValidator(_moment, json_schema_input_type=datetime)]
Number = Annotated[StrictFloat, BeforeValidator(_finite, json_schema_input_type=float)]
Word = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)]


class Body(BaseModel):
    """What a request or an answer holds: unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoBody(Body):
    """Nothing."""


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


Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None
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


class ModelAnswer(Body):
    """A version of a model.

    Args:
        version: From 1.
        digest: Of its folder.
        facts: What is told of it.
        active: Whether it answers.
    """

    version: int
    digest: str
    facts: dict[str, Scalar]
    active: bool


class ModelsAnswer(Body):
    """All versions, the newest first."""

    models: tuple[ModelAnswer, ...]


class PublishBody(Body):
    """Which version is to answer."""

    version: Annotated[StrictInt, Field(ge=1, lt=2**31)]
    instead_of: Annotated[StrictInt, Field(ge=1, lt=2**31)] | None = None


class AliasAnswer(Body):
    """The version that answers, and the one that a rollback goes back to."""

    version: int
    before: int | None


class ImportQuery(Body):
    """A file of events, which is the body: Parquet, CSV with any separator (also .gz) or JSON lines.

    Args:
        name: Of the file; its ending says what it is.
        user: The column of the users; `user` if left out.
        item: The column of the items; `item` if left out.
        behaviour: The column of the behaviours; `behaviour` if left out and there.
        time: The column of the times; `time` if left out and there.
        id: The column of the events' ids; made of the file and the row if left out.
        value: The column of a price, a rating or a number of seconds.
    """

    name: Annotated[StrictStr, Field(pattern=_FILE)]
    user: Word | None = None
    item: Word | None = None
    behaviour: Word | None = None
    time: Word | None = None
    id: Word | None = None
    value: Word | None = None


class FileAnswer(Body):
    """A file.

    Args:
        path: Where it is.
    """

    path: Path


class JobAnswer(Body):
    """A job."""

    job: str
    kind: str
    state: State
    progress: dict[str, Scalar]
    result: dict[str, Scalar] | None


class JobQuery(Body):
    """Which job."""

    job: Word


class KeyBody(Body):
    """A key that is to be made."""

    role: Role
    label: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)]


class NewKeyAnswer(Body):
    """A key, which is shown this once."""

    key: str
    public: str
    role: Role


class KeyAnswer(Body):
    """What is known of a key."""

    public: str
    role: str
    label: str
    revoked: bool


class KeysAnswer(Body):
    """All keys."""

    keys: tuple[KeyAnswer, ...]


class AuditQuery(Body):
    """How many of the last changes."""

    most: Annotated[StrictInt, Field(ge=1, le=MOST_K)] = 100


class ChangeAnswer(Body):
    """A change.

    Args:
        at: When.
        key: The public part of the key.
        action: What was done.
        subject: To what; never to whom.
    """

    at: str
    key: str
    action: str
    subject: str


class AuditAnswer(Body):
    """The last changes, the newest first."""

    changes: tuple[ChangeAnswer, ...]


class RevokeBody(Body):
    """Which key is taken back."""

    public: Word


class TenantBody(Body):
    """A tenant that is to be made."""

    name: Word


class HealthAnswer(Body):
    """How the service is."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "unavailable"]
    models: int
