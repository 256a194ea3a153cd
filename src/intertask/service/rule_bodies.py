"""Bodies of rules: what may be shown in which requests."""

from typing import Annotated, Self

from pydantic import Field, StrictStr, model_validator

from intertask.service.fields import (
    Body,
    Time,
    Word,
)
from intertask.service.list_bodies import Boost


class RuleBody(Body):
    """A rule for all lists.

    Args:
        name: Of the rule; one of the same name is replaced.
        scenario: Only for requests of this scenario.
        when: Only for requests that meet this condition on user.NAME and context.NAME.
        filter: Items that do not meet this condition on their properties are in no list.
        boost: Items that are preferred.
        since: From this moment on.
        until: Up to this moment.
    """

    name: Word
    scenario: Word | None = None
    when: Annotated[StrictStr, Field(min_length=1, max_length=2_000)] | None = None
    filter: Annotated[StrictStr, Field(min_length=1, max_length=2_000)] | None = None
    boost: Annotated[tuple[Boost, ...], Field(max_length=20)] = ()
    since: Time | None = None
    until: Time | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.filter is None and not self.boost:
            raise ValueError("a filter or a boost, not neither")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since before until, not the other way round")
        return self


class RulesAnswer(Body):
    """All rules."""

    rules: tuple[RuleBody, ...]


class RuleQuery(Body):
    """Which rule."""

    name: Word
