"""PostgreSQL behind the seam of `database.py`: every worker reads and writes by connections of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString, cast
from urllib.parse import urlsplit

import psycopg
from psycopg import errors

from intertask.service.database import Row, Value, Words
from intertask.service.refusals import UnavailableError

CONNECT_SECONDS = 5
_WORDS = Words(
    integer="BIGINT",
    real="DOUBLE PRECISION",
    text='TEXT COLLATE "C"',
    clustered="",
    plain="",
    listed="(SELECT jsonb_array_elements_text(CAST(? AS jsonb)))",
    given="jsonb_array_elements_text(CAST(? AS jsonb)) AS given(value)",
    beside="",
)
# Of the database and not of the request: no room, no connection, shutting down, a lock that two waited for.
_LATER = (
    errors.OperationalError,
    errors.InterfaceError,
    errors.InsufficientResources,
    errors.ReadOnlySqlTransaction,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)


class PostgreSQL:
    """A server, by its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def reading(self) -> "Connection":
        """A connection of one thread that reads."""
        return Connection(self.address)

    def writing(self) -> "Connection":
        """A connection of one thread that writes."""
        return Connection(self.address)


class Connection:
    """One connection of one thread."""

    words = _WORDS

    def __init__(self, address: str) -> None:
        self.address = address
        self.host = urlsplit(address).hostname or "a socket"
        with self._translated():
            self._inner = self._connected()

    def _connected(self) -> psycopg.Connection[Row]:
        connection = psycopg.connect(
            self.address, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="intertask"
        )
        # An acknowledged event is on the server's disk, whatever its defaults are.
        connection.execute("SET synchronous_commit TO on")
        connection.execute("SET idle_in_transaction_session_timeout TO '60s'")
        return cast("psycopg.Connection[Row]", connection)

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query."""
        with self._translated():
            return self._inner.execute(_spelled(sql), parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Execute a statement; the number of rows that it changed."""
        with self._translated():
            return self._inner.execute(_spelled(sql), parameters).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute a statement for each of many rows."""
        given = list(rows)
        with self._translated(), self._inner.cursor() as cursor:
            if len(given) == 1:  # one journey; a pipeline ends with another one
                cursor.execute(_spelled(sql), given[0])
            else:
                cursor.executemany(_spelled(sql), given)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All queries of the block see the same state."""
        self.check_alive()
        with self._translated():
            self._inner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._end("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block are on disk when it ends, or none ever is."""
        with self._translated():
            self._inner.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._end("ROLLBACK")
            raise
        with self._translated():
            self._inner.execute("COMMIT")

    @contextmanager
    def part(self) -> Iterator[None]:
        """All statements of the block take effect, or, where it raises, none."""
        with self._translated():
            self._inner.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._end("ROLLBACK TO part")
            raise
        with self._translated():
            self._inner.execute("RELEASE part")

    def _end(self, sql: LiteralString) -> None:
        if not self._inner.closed:
            with self._translated():
                self._inner.execute(sql)

    def settle(self) -> bool:
        """The server's own vacuum overwrites what was deleted, when it is due."""
        return True

    def check_alive(self) -> None:
        """Connect again where the connection is lost.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        if self._inner.closed or self._inner.broken:
            with self._translated():
                self._inner = self._connected()

    def close(self) -> None:
        """Let the connection go."""
        self._inner.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _LATER as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            # The message of a failed connection may hold the address, and the address a password.
            raise UnavailableError(
                "database", f"PostgreSQL at {self.host}", type(error).__name__, "try again later"
            ) from RuntimeError(reason[0] if "password" not in reason[0] else "refused")


def _spelled(sql: str) -> Any:  # noqa: ANN401  (psycopg takes literals alone, and these are)
    return sql.replace("?", "%s")
