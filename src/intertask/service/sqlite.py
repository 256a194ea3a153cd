"""SQLite behind the seam of `database.py`: one process writes, any number read.

From 3.7 to 3.51.2 SQLite in WAL mode can lose a commit where two connections write or checkpoint at the same
moment. Hence one writing connection, which also checkpoints, and `apsw`, which brings a SQLite of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import apsw

from intertask.errors import IntertaskError
from intertask.service.database import Row, Value, Words
from intertask.service.refusals import UnavailableError

OLDEST = (3, 51, 3)
BUSY_MILLISECONDS = 2_000  # a reader recovers the log of a writer that was killed, for instance
CACHE_KIB = 65_536
BESIDE = "answers.sqlite"  # in the folder of the database: what may be lost and is large
SYNCED_FULLY = 2

_WORDS = Words(
    integer="INTEGER",
    real="REAL",
    text="TEXT",
    clustered=" WITHOUT ROWID, STRICT",
    plain=" STRICT",
    listed="(SELECT value FROM json_each(?))",
    given="(SELECT value FROM json_each(?)) AS given",
    beside="beside.",
)


class SQLite:
    """A file.

    Raises:
        IntertaskError: The library is too old to be trusted.
    """

    def __init__(self, file: Path) -> None:
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        if version < OLDEST:
            raise IntertaskError(
                "apsw", "SQLite 3.51.3 or newer", apsw.sqlite_lib_version(), "pip install --upgrade apsw"
            )
        self.file = file

    def reading(self) -> "Connection":
        """A connection of one thread that reads."""
        return Connection(self.file, writes=False)

    def writing(self) -> "Connection":
        """The one connection that writes."""
        return Connection(self.file, writes=True)


class Connection:
    """One connection of one thread."""

    words = _WORDS

    def __init__(self, file: Path, *, writes: bool) -> None:
        self.file = file
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with _translated(file):
            # Reading connections are opened to write as well: one that may not cannot recover the log of a
            # writer that was killed. `query_only` refuses what they must not do, and they never checkpoint.
            self._inner = apsw.Connection(str(file), flags=flags if writes else apsw.SQLITE_OPEN_READWRITE)
            self._inner.set_busy_timeout(BUSY_MILLISECONDS)
            self._inner.execute("ATTACH ? AS beside", (str(file.with_name(BESIDE)),)).fetchall()
            self._set("cache_size", -CACHE_KIB)
            self._set("temp_store", "MEMORY")
            self._set("foreign_keys", "ON")
            if writes:
                self._set("journal_mode", "WAL")
                self._set("synchronous", "FULL")
                self._set("beside.journal_mode", "WAL")
                # Answers come by the hundred a second: a power cut may take the last of them, a kill none.
                self._set("beside.synchronous", "NORMAL")
                self._set("secure_delete", "ON")  # who is erased is gone from the file, too
                if self.rows("PRAGMA main.synchronous") != [(SYNCED_FULLY,)]:
                    raise IntertaskError(str(file), "a database that syncs each commit", "one that does not")
            else:
                self._inner.wal_autocheckpoint(0)
                self._inner.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                self._set("query_only", "ON")

    def _set(self, name: str, value: str | int) -> None:
        self._inner.execute(f"PRAGMA {name} = {value}").fetchall()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """The rows of a query."""
        with _translated(self.file):
            return cast("list[Row]", self._inner.execute(sql, tuple(parameters)).fetchall())

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Execute a statement; the number of rows that it changed."""
        with _translated(self.file):
            self._inner.execute(sql, tuple(parameters)).fetchall()
            return self._inner.changes()

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Execute a statement for each of many rows."""
        with _translated(self.file):
            self._inner.executemany(sql, (tuple(row) for row in rows)).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All queries of the block see the same state."""
        with _translated(self.file):
            self._inner.execute("BEGIN")
        try:
            yield
        finally:
            if self._inner.in_transaction:
                self._inner.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block are on disk when it ends, or none ever is."""
        with _translated(self.file):
            self._inner.execute("BEGIN IMMEDIATE")
        try:
            yield
            with _translated(self.file):
                self._inner.execute("COMMIT")
        finally:
            if self._inner.in_transaction:  # SQLite itself has ended one for which there was no room
                self._inner.execute("ROLLBACK")

    @contextmanager
    def part(self) -> Iterator[None]:
        """All statements of the block take effect, or, where it raises, none."""
        self._inner.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._inner.in_transaction:
                self._inner.execute("ROLLBACK TO part")
                self._inner.execute("RELEASE part")
            raise
        with _translated(self.file):
            self._inner.execute("RELEASE part")

    def settle(self) -> bool:
        """Leave nothing of what was deleted on the disk; False where somebody still reads an older state.

        Pages are overwritten as they are freed; what they held stands in the log until it is cut off.
        """
        self._inner.set_busy_timeout(0)  # nobody who wants to write waits for those who read
        try:
            found = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        except UnavailableError:
            return False
        finally:
            self._inner.set_busy_timeout(BUSY_MILLISECONDS)
        return found[0][0] == 0

    def copy(self, schema: str, file: Path) -> None:
        """Copy one of the two databases, `main` or `beside`, to a new file, as of one moment."""
        target = apsw.Connection(str(file))
        try:
            with target.backup("main", self._inner, schema) as backup:
                backup.step(-1)  # in one read: who writes meanwhile does not make it begin anew
        finally:
            target.close()

    def check_alive(self) -> None:
        """A file has no connection to lose."""

    def close(self) -> None:
        """Let the connection go."""
        self._inner.close()


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """A disk that is full, gone or read-only is no mistake of the request: it may come again later."""
    try:
        yield
    except (
        apsw.BusyError,
        apsw.CantOpenError,
        apsw.FullError,
        apsw.IOError,
        apsw.LockedError,
        apsw.NoMemError,
        apsw.PermissionsError,
        apsw.ReadOnlyError,
    ) as error:
        raise UnavailableError(
            "database", "a file that can be read and written", f"{file.name}: {error}", "try again later"
        ) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise IntertaskError(
            str(file), "a SQLite database that is whole", str(error), "restore a backup; nothing was changed"
        ) from error
