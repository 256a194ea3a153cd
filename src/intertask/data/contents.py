"""Columns of files: a table names a picture or a recording, and rows hold its name and its bytes.

Rows with their bytes need no folder any more: a run goes on without it, and a digest tells another picture
under the same name. Knows nothing of what the bytes mean.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from intertask.data import values
from intertask.data.columns import Column, Problem, raw_of, wrong_type
from intertask.data.refusals import refused_rows
from intertask.data.tables import Table
from intertask.errors import IntertaskError
from intertask.storage.untrusted import read_bytes

FILE = pl.Struct({"name": pl.String(), "content": pl.Binary()})
BYTES = 256 << 20  # of one file


def file(table: Table, source: str, name: str, missing: Sequence[str] = ()) -> Column:
    """A column of paths, or of bytes; `read` puts the bytes in place of paths.

    Raises:
        DataError: No such column, or its type is neither.
    """
    kind = table.require(source, "files")
    given = raw_of(name)
    if kind == pl.Binary:
        numbered = pl.format("{} {}", pl.lit(f"{source} row"), pl.int_range(1, pl.len() + 1))
        value = pl.struct(numbered.alias("name"), given.alias("content"))
        return Column(name, source, value, Problem(((given.is_null(), "missing file"),)))
    if kind.is_nested() or kind.is_numeric():
        raise wrong_type(table, source, kind, "paths of files, or their bytes")
    found = values.word(table, source, name, required=True, missing=missing)
    return replace(found, problem=Problem(((found.value.is_null(), "missing file"),)))


def read(
    numbers: pl.Series, rows: pl.DataFrame, columns: Sequence[Column], folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the bytes of their files, and those whose file cannot be read, as `Refusals` lists them.

    Args:
        numbers: Of the rows.
        rows: As `read_columns` found them.
        columns: Those of files.
        folder: At which relative paths start.
    """
    refused: list[pl.DataFrame] = []
    kept = pl.repeat(True, len(rows), eager=True)
    for column in columns:
        if rows[column.name].dtype == FILE:
            continue
        paths = rows[column.name].to_list()
        found = [_content(folder, path) for path in paths]
        bad = pl.Series([isinstance(own, str) for own in found], dtype=pl.Boolean)
        for reason in sorted({own for own in found if isinstance(own, str)}):
            own = pl.Series([other == reason for other in found]) & kept
            refused.append(
                refused_rows(numbers.filter(own), reason, column.source, pl.Series(paths).filter(own))
            )
        kept &= ~bad
        held = [
            None if isinstance(own, str) else {"name": path, "content": own}
            for path, own in zip(paths, found, strict=True)
        ]
        rows = rows.with_columns(pl.Series(column.name, held, dtype=FILE))
    lost = pl.concat(refused) if refused else refused_rows(numbers.clear(), "", "")
    return rows.filter(kept), lost.sort("row")


def _content(folder: Path, path: str) -> bytes | str:
    """The bytes of a file, or why there are none."""
    try:
        return read_bytes(folder / path, BYTES)
    except IntertaskError as error:
        return error.found


def contents(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the bytes of files alone, whatever they are called."""
    files = [name for name, kind in rows.schema.items() if kind == FILE]
    return rows.with_columns(pl.col(name).struct.field("content").alias(name) for name in files)
