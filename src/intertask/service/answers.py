"""The lists that were given, kept for some weeks: to whom, by which model, with which probabilities.

They are written a moment after the answer, many at once, and lie in a second file where SQLite keeps them.
Their ids begin with the time, so that the oldest of a tenant stand first.
"""

import json
import secrets
import time
from typing import Literal

from intertask.service.database import Reading, Row, Writing, text, whole
from intertask.service.messages import Command, Done, Message

TRIMMED = 5_000  # answers of one command: nobody waits long for it
_MILLISECOND = 1_000  # microseconds
_DIGITS = 11  # of the milliseconds since 1970, in hexadecimal
_COLUMNS = "recommendation, person, version, scenario, experiment, arm, items, scores, propensities, seq"


class Given(Message):
    """A list that was given.

    Args:
        recommendation: Its id.
        person: To whom; None where the history came with the request.
        version: Of the model.
        scenario: As the request named it.
        experiment: The experiment that it was part of.
        arm: Of that.
        items: In their order.
        scores: Of the items.
        propensities: With which probability each was drawn; empty where nothing was drawn.
        seq: The number of the last event that counted; None where it is not known.
    """

    recommendation: str
    person: str | None
    version: int
    scenario: str | None = None
    experiment: str | None = None
    arm: str | None = None
    items: tuple[str, ...]
    scores: tuple[float, ...]
    propensities: tuple[float, ...] = ()
    seq: int | None = None

    @property
    def moment(self) -> int:
        """When it was given, in microseconds since 1970."""
        return int(self.recommendation[4 : 4 + _DIGITS], 16) * _MILLISECOND


class KeepAnswers(Command[Done]):
    """Keep lists; one that is kept already stays as it is."""

    answers = Done
    kind: Literal["keep_answers"] = "keep_answers"
    given: tuple[Given, ...]

    def run(self, store: Writing) -> Done:
        """Keep them."""
        store.run_many(
            f"INSERT INTO answers (tenant, {_COLUMNS}, drawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, recommendation) DO NOTHING",
            [
                (
                    self.tenant,
                    one.recommendation,
                    one.person,
                    one.version,
                    one.scenario,
                    one.experiment,
                    one.arm,
                    json.dumps(one.items, ensure_ascii=False),
                    json.dumps(one.scores),
                    json.dumps(one.propensities) if one.propensities else None,
                    one.seq,
                    1 if one.propensities else None,
                )
                for one in self.given
            ],
        )
        return Done()


class TrimAnswers(Command[Done]):
    """Forget some of the answers before one; `changed` says whether there may be more of them."""

    answers = Done
    kind: Literal["trim_answers"] = "trim_answers"
    before: str

    def run(self, store: Writing) -> Done:
        """Forget them."""
        gone = store.run(
            "DELETE FROM answers WHERE tenant = ? AND recommendation IN (SELECT recommendation FROM answers "
            "WHERE tenant = ? AND recommendation < ? ORDER BY recommendation LIMIT ?)",
            (self.tenant, self.tenant, self.before, TRIMMED),
        )
        return Done(changed=gone == TRIMMED)


def new_id() -> str:
    """The id of an answer that is given now."""
    return f"rec_{time.time_ns() // 1_000_000:0{_DIGITS}x}{secrets.token_hex(10)}"


def first(moment: int) -> str:
    """What stands before the ids of all answers from a moment on, in microseconds since 1970."""
    return f"rec_{max(0, moment) // _MILLISECOND:0{_DIGITS}x}"


def answer(store: Reading, tenant: int, name: str) -> Given | None:
    """A list by its id."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM answers WHERE tenant = ? AND recommendation = ?", (tenant, name)
    )
    return _given(rows[0]) if rows else None


def of_person(store: Reading, tenant: int, person: str, most: int) -> list[Given]:
    """The last lists of a person, the newest first."""
    rows = store.rows(
        # In two steps: in one, SQLite would look through all answers of the tenant.
        f"SELECT {_COLUMNS} FROM answers WHERE tenant = ? AND recommendation IN (SELECT recommendation "
        "FROM answers WHERE tenant = ? AND person = ? ORDER BY recommendation DESC LIMIT ?) "
        "ORDER BY recommendation DESC",
        (tenant, tenant, person, most),
    )
    return [_given(row) for row in rows]


def newest(store: Reading, tenant: int, since: int, most: int) -> list[Given]:
    """The last lists that were given since a moment, the newest first."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM answers WHERE tenant = ? AND recommendation >= ? "
        "ORDER BY recommendation DESC LIMIT ?",
        (tenant, first(since), most),
    )
    return [_given(row) for row in rows]


def drawn(store: Reading, tenant: int, most: int) -> list[Given]:
    """The last lists that were drawn at random, the newest first."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM answers WHERE tenant = ? AND recommendation IN (SELECT recommendation "
        "FROM answers WHERE tenant = ? AND drawn = 1 ORDER BY recommendation DESC LIMIT ?) "
        "ORDER BY recommendation DESC",
        (tenant, tenant, most),
    )
    return [_given(row) for row in rows]


def _given(row: Row) -> Given:
    name, person, version, scenario, experiment, arm, items, scores, propensities, seq = row
    return Given(
        recommendation=text(name),
        person=None if person is None else text(person),
        version=whole(version),
        scenario=None if scenario is None else text(scenario),
        experiment=None if experiment is None else text(experiment),
        arm=None if arm is None else text(arm),
        items=tuple(json.loads(text(items))),
        scores=tuple(json.loads(text(scores))),
        propensities=() if propensities is None else tuple(json.loads(text(propensities))),
        seq=None if seq is None else whole(seq),
    )
