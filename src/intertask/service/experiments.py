"""Experiments: people are shared out over arms by a hash, and each arm asks for lists in its own way."""

import hashlib
import json
from typing import Literal

from intertask.service.database import Reading, Row, Writing, text, whole
from intertask.service.messages import Command, Done, Message
from intertask.service.refusals import ConflictError, MissingError
from intertask.service.schema import now
from intertask.service.versions import pin, unpin, version

PART = 2_000  # answers that are looked at together
_WHOLE = 2**64


class Arm(Message):
    """A way of making lists.

    Args:
        name: Of the arm.
        weight: Its share of the people, beside those of the others.
        version: Of the model; the active one where it is None.
        changes: What of a request is other than it came, as JSON.
    """

    name: str
    weight: float = 1.0
    version: int | None = None
    changes: str = "{}"


class Experiment(Message):
    """An experiment.

    Args:
        name: Unique within the tenant; people are shared out by it.
        arms: The first one is the control.
        share: Of the people that take part.
        scenario: Of the requests that take part; all of them where it is None.
        goals: Behaviours that a list is to lead to; any where none is named.
        created: When it began.
        ended: When it ended; None while it goes on.
    """

    name: str
    arms: tuple[Arm, ...]
    share: float = 1.0
    scenario: str | None = None
    goals: tuple[str, ...] = ()
    created: int = 0
    ended: int | None = None

    def arm(self, tenant: int, person: str) -> Arm | None:
        """The arm of a person, always the same; None of one who takes no part."""
        if _chance("part", tenant, self.name, person) >= self.share:
            return None
        place = _chance("arm", tenant, self.name, person) * sum(arm.weight for arm in self.arms)
        for arm in self.arms:
            place -= arm.weight
            if place < 0:
                return arm
        return self.arms[-1]


class AddExperiment(Command[Done]):
    """Begin an experiment; the same one again changes nothing."""

    answers = Done
    kind: Literal["add_experiment"] = "add_experiment"
    experiment: Experiment

    @property
    def subject(self) -> str:
        """Its name."""
        return self.experiment.name

    def run(self, store: Writing) -> Done:
        """Begin it.

        Raises:
            ConflictError: There was another one of this name: its people would be shared out alike.
            MissingError: An arm names a version that there is not.
        """
        store.rows("UPDATE tenants SET seq = seq WHERE tenant = ? RETURNING seq", (self.tenant,))
        before = experiment(store, self.tenant, self.experiment.name)
        if before is not None:
            if before.model_copy(update={"created": 0, "ended": None}) == self.experiment:
                return Done(changed=False)
            raise ConflictError(
                "name", "a name that no experiment had", repr(before.name), "choose another name"
            )
        for arm in self.experiment.arms:
            if arm.version is not None:
                if version(store, self.tenant, arm.version) is None:
                    raise MissingError(
                        "version", "a version of your models", str(arm.version), "see GET /v1/models"
                    )
                pin(store, self.tenant, f"experiment {self.experiment.name}", arm.version)
        store.run(
            "INSERT INTO experiments (tenant, name, content, created) VALUES (?, ?, ?, ?)",
            (self.tenant, self.experiment.name, self.experiment.model_dump_json(), now()),
        )
        return Done()


class EndExperiment(Command[Done]):
    """End an experiment; what it showed can still be asked."""

    answers = Done
    kind: Literal["end_experiment"] = "end_experiment"
    name: str

    @property
    def subject(self) -> str:
        """Its name."""
        return self.name

    def run(self, store: Writing) -> Done:
        """End it.

        Raises:
            MissingError: There is none of this name.
        """
        if experiment(store, self.tenant, self.name) is None:
            raise MissingError("name", "an experiment", repr(self.name), "see GET /v1/experiments")
        unpin(store, self.tenant, f"experiment {self.name}")
        changed = store.run(
            "UPDATE experiments SET ended = ? WHERE tenant = ? AND name = ? AND ended IS NULL",
            (now(), self.tenant, self.name),
        )
        return Done(changed=changed > 0)


_COLUMNS = "content, created, ended"


def experiment(store: Reading, tenant: int, name: str) -> Experiment | None:
    """An experiment by its name."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM experiments WHERE tenant = ? AND name = ?", (tenant, name))
    return _experiment(rows[0]) if rows else None


def experiments(store: Reading, tenant: int) -> list[Experiment]:
    """All experiments of a tenant, by name."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM experiments WHERE tenant = ? ORDER BY name", (tenant,))
    return [_experiment(row) for row in rows]


def shown(store: Reading, tenant: int, name: str, after: str) -> list[tuple[str, str, str, list[str]]]:
    """Some of the lists of an experiment behind one: id, person, arm and items."""
    rows = store.rows(
        # In two steps: in one, SQLite would look through all answers of the tenant.
        "SELECT recommendation, person, arm, items FROM answers WHERE tenant = ? AND recommendation IN "
        "(SELECT recommendation FROM answers WHERE tenant = ? AND experiment = ? AND recommendation > ? "
        "ORDER BY recommendation LIMIT ?) ORDER BY recommendation",
        (tenant, tenant, name, after, PART),
    )
    return [(text(one), text(person), text(arm), json.loads(text(items))) for one, person, arm, items in rows]


def _experiment(row: Row) -> Experiment:
    content, created, ended = row
    found = Experiment.model_validate(json.loads(text(content)), strict=False)
    return found.model_copy(
        update={"created": whole(created), "ended": None if ended is None else whole(ended)}
    )


def _chance(purpose: str, tenant: int, name: str, person: str) -> float:
    """A number from 0 to below 1 that looks random and is always the same."""
    content = json.dumps([purpose, tenant, name, person]).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") / _WHOLE
