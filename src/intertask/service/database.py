"""The seam to a database: SQL with `?` for its parameters, rows as tuples, one transaction at a time.

What is written here runs on SQLite and on PostgreSQL alike; the few words that they spell differently are in
`Words`. Times are microseconds since 1970.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

Value = str | int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Words:
    """How a database spells what the two spell differently.

    Args:
        integer: The type of a whole number of 64 bits.
        real: Of a number in double precision.
        text: Of text, compared byte by byte.
        clustered: Behind a table whose rows lie in the order of its primary key.
        plain: Behind any other table.
        listed: What stands behind IN for a parameter that is a JSON list of texts, see `listed`.
        given: The same as a table with the one column `given.value`. Before CROSS JOIN it is what SQLite
            begins with; by IN it would look through all that a tenant has.
        beside: Before the name of a table of the second file, where there is one.
    """

    integer: str
    real: str
    text: str
    clustered: str
    plain: str
    listed: str
    given: str
    beside: str


class Reading(Protocol):
    """A connection that reads."""

    words: Words

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """All queries of the block see the same state, which holds what was committed before it began."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


class Writing(Reading, Protocol):
    """A connection that writes."""

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Execute a statement; the number of rows that it changed."""
        ...

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute a statement for each of many rows."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All statements of the block are on disk when it ends, or none ever is."""
        ...

    def part(self) -> AbstractContextManager[None]:
        """All statements of the block take effect, or, where it raises, none; inside a transaction."""
        ...

    def settle(self) -> bool:
        """Leave nothing of what was deleted on the disk; False where somebody still reads an older state."""
        ...

    def check_alive(self) -> None:
        """Connect again where the connection is lost.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        ...


class Database(Protocol):
    """Makes connections; picklable by its address alone."""

    def reading(self) -> Reading:
        """A connection of one thread that reads."""
        ...

    def writing(self) -> Writing:
        """A connection of one thread that writes."""
        ...


def listed(values: Iterable[str]) -> str:
    """Texts as the one parameter of `IN {words.listed}`."""
    return json.dumps(list(values))


def text(value: Value) -> str:
    """A value that is text."""
    assert isinstance(value, str)
    return value


def whole(value: Value) -> int:
    """A value that is a whole number."""
    assert isinstance(value, int)
    return value
