"""Rules for all lists of a tenant: what is left out, what is preferred, when and for whom."""

import json
from typing import Literal

from intertask.service.database import Reading, Writing, text
from intertask.service.messages import Command, Done, Message
from intertask.service.properties import revise
from intertask.service.refusals import ConflictError

MOST = 200  # rules of a tenant: each one is looked at by every request


class Rule(Message):
    """A rule.

    Args:
        name: Unique within the tenant.
        scenario: Of the requests that it is for; all of them where it is None.
        when: A condition on the user and the context; met by all where it is None.
        filter: A condition on the items that may be answered.
        boosts: Conditions on items, and what their probability is multiplied by.
        since: From this moment on, as it was written.
        until: Up to this moment, as it was written.
        first: `since` in microseconds since 1970.
        last: `until` in microseconds since 1970.
    """

    name: str
    scenario: str | None = None
    when: str | None = None
    filter: str | None = None
    boosts: tuple[tuple[str, float], ...] = ()
    since: str | None = None
    until: str | None = None
    first: int = -(2**62)
    last: int = 2**62


class PutRule(Command[Done]):
    """Set a rule; one of the same name is replaced."""

    answers = Done
    kind: Literal["put_rule"] = "put_rule"
    rule: Rule

    @property
    def subject(self) -> str:
        """Its name."""
        return self.rule.name

    def run(self, store: Writing) -> Done:
        """Set it.

        Raises:
            ConflictError: There are too many.
        """
        revise(store, self.tenant)
        store.run(
            "INSERT INTO rules (tenant, name, content) VALUES (?, ?, ?) "
            "ON CONFLICT (tenant, name) DO UPDATE SET content = excluded.content",
            (self.tenant, self.rule.name, self.rule.model_dump_json()),
        )
        if len(rules(store, self.tenant)) > MOST:
            raise ConflictError("rules", f"at most {MOST}", "one more", "delete one first")
        return Done()


class DeleteRule(Command[Done]):
    """Delete a rule."""

    answers = Done
    kind: Literal["delete_rule"] = "delete_rule"
    name: str

    @property
    def subject(self) -> str:
        """Its name."""
        return self.name

    def run(self, store: Writing) -> Done:
        """Delete it."""
        revise(store, self.tenant)
        gone = store.run("DELETE FROM rules WHERE tenant = ? AND name = ?", (self.tenant, self.name))
        return Done(changed=gone > 0)


def rules(store: Reading, tenant: int) -> tuple[Rule, ...]:
    """All rules of a tenant, by name."""
    rows = store.rows("SELECT content FROM rules WHERE tenant = ? ORDER BY name", (tenant,))
    return tuple(Rule.model_validate(json.loads(text(row[0])), strict=False) for row in rows)
