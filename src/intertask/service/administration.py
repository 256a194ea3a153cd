"""The bodies of requests and answers about the service itself: models, keys, webhooks, changes."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from intertask.service.fields import LONGEST_ID, MOST_K, Body, Number, Scalar, Word
from intertask.service.tenants import Role


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


class VersionQuery(Body):
    """A version."""

    version: Annotated[StrictInt, Field(ge=1, lt=2**31)]


class RecipeAnswer(Body):
    """What a version was made by.

    Args:
        version: Its number.
        recipe: All options, those that nobody stated included.
    """

    version: int
    recipe: dict[str, object]


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
