"""Answers to rows, in a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from intertask.errors import RequestError
from intertask.storage.files import written_aside

KINDS = (".parquet", ".csv", ".jsonl")


def refuse_ending(file: Path) -> None:
    """Refuse a name that answers cannot be written to.

    Raises:
        RequestError: It has another ending.
    """
    if file.suffix.lower() not in KINDS:
        raise RequestError(str(file), f"a file ending in {', '.join(KINDS)}", repr(file.suffix))


def write(file: Path, answers: pl.DataFrame) -> int:
    """Write answers, all or nothing, with the number of each row from 1; the number of rows.

    Raises:
        IntertaskError: The place cannot be written to.
    """
    with appended(file) as append:
        append(answers)
    return answers.height


@contextmanager
def appended(file: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """What takes answers one after the other; the file appears when the block ends well, with all of them.

    Raises:
        IntertaskError: The place cannot be written to.
    """
    refuse_ending(file)
    kind = file.suffix.lower()
    with written_aside(file) as aside:
        written = _Parts(aside) if kind == ".parquet" else _Lines(aside, kind)
        yield written.append
        written.close()


class _Parts:
    """Parquet, which cannot be appended to: a file for each batch, put together at the end."""

    def __init__(self, aside: Path) -> None:
        self.aside, self.rows = aside, 0
        self.parts: list[Path] = []

    def append(self, answers: pl.DataFrame) -> None:
        part = self.aside.with_name(f"part {len(self.parts)}")
        _numbered(answers, self.rows).write_parquet(part)
        self.parts.append(part)
        self.rows += answers.height

    def close(self) -> None:
        if len(self.parts) == 1:
            self.parts[0].rename(self.aside)
            return
        # A batch of which nothing is answered has no type of its own.
        read = [pl.scan_parquet(part, glob=False) for part in self.parts]
        pl.concat(read, how="vertical_relaxed").sink_parquet(self.aside)


class _Lines:
    """CSV or JSONL."""

    def __init__(self, aside: Path, kind: str) -> None:
        self.aside, self.kind, self.rows = aside, kind, 0

    def append(self, answers: pl.DataFrame) -> None:
        numbered = _numbered(answers, self.rows)
        with self.aside.open("ab") as file:
            if self.kind == ".jsonl":
                numbered.write_ndjson(file)
            else:
                lists = [name for name, own in numbered.schema.items() if isinstance(own, pl.List)]
                told = numbered.with_columns(pl.col(lists).list.join("|"))
                told.write_csv(file, include_header=not self.rows)
        self.rows += answers.height

    def close(self) -> None:
        self.aside.touch()


def _numbered(answers: pl.DataFrame, before: int) -> pl.DataFrame:
    """With the number of each row, unless a task is called so."""
    return answers if "row" in answers.columns else answers.with_row_index("row", offset=before + 1)
