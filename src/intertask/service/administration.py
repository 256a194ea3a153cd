"""The bodies of requests and answers about the service itself: models, jobs, keys, changes."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from intertask.service.fields import LONGEST_ID, MOST_K, Body, Identifier, Number, Scalar, Word
from intertask.service.jobs import State
from intertask.service.tenants import Role

_FILE = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.(csv|tsv|txt|jsonl|ndjson|parquet)(\.gz)?$"


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
    """All versions, the newest first; and the one that is being tried, where one is."""

    models: tuple[ModelAnswer, ...]
    canary: "CanaryAnswer | None" = None


class CanaryBody(Body):
    """How a version is tried.

    Args:
        share: Of the users that it answers.
        minutes: After which it is published, unless it was taken back.
    """

    share: Annotated[Number, Field(gt=0, le=0.5)] = 0.05
    minutes: Annotated[Number, Field(gt=0, le=10_080)] = 10.0


class PublishBody(Body):
    """Which version is to answer.

    Args:
        version: Of your models.
        instead_of: The version that must answer now; any if left out.
        canary: Let it answer some users first; it goes back by itself where it does worse.
    """

    version: Annotated[StrictInt, Field(ge=1, lt=2**31)]
    instead_of: Annotated[StrictInt, Field(ge=1, lt=2**31)] | None = None
    canary: CanaryBody | None = None


class AliasAnswer(Body):
    """The version that answers, and the one that a rollback goes back to.

    Args:
        version: It.
        before: The one before.
        canary: The version that is being tried; only where one is.
    """

    version: int
    before: int | None
    canary: int | None = None


class CanaryAnswer(Body):
    """A version that is being tried, and until when."""

    version: int
    share: float
    until: str


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


class ModelQuery(Body):
    """A model's folder as a zip archive, which is the body.

    Args:
        name: Of the archive.
        publish: "yes" publishes it as soon as every process has it ready.
    """

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.zip$")]
    publish: Literal["no", "yes"] = "no"


class TrainBody(Body):
    """A training on all events that are stored.

    Args:
        recipe: As TOML, without [data]; that of the active model if left out.
        publish: "better" publishes what beats popularity and loses nothing against the active model on the
            newest events, which it is not trained on.
    """

    recipe: Annotated[StrictStr, Field(min_length=1, max_length=200_000)] | None = None
    publish: Literal["better", "always", "never"] = "better"


class EraseBody(Body):
    """Whose data are erased."""

    user: Identifier


class TenantsAnswer(Body):
    """The names of all tenants."""

    tenants: tuple[str, ...]


class WebhookBody(Body):
    """An address that is told what happens: model.published, canary.ended, job.done, job.failed."""

    name: Word
    url: Annotated[StrictStr, Field(min_length=1, max_length=2_000)]


class WebhookAnswer(Body):
    """An address.

    Args:
        name: Of it.
        url: It.
        secret: Shown this once. `intertask-signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256 of SECONDS, a
            dot and the body by it.
    """

    name: str
    url: str
    secret: str


class WebhooksAnswer(Body):
    """All addresses."""

    webhooks: tuple[WebhookBody, ...]


class WebhookQuery(Body):
    """Which address."""

    name: Word


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
    """A key that is to be made.

    Args:
        role: What it may do.
        label: What it is for, in your own words.
        per_second: Requests that it may make on average; as many as it likes if left out.
    """

    role: Role
    label: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)]
    per_second: Annotated[Number, Field(ge=0.1, le=1e6)] | None = None


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
    per_second: float | None


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
