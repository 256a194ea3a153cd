"""Answers to rows, in a file."""

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
    refuse_ending(file)
    numbered = answers.with_row_index("row", offset=1) if "row" not in answers.columns else answers
    kind = file.suffix.lower()
    with written_aside(file) as aside:
        if kind == ".parquet":
            numbered.write_parquet(aside)
        elif kind == ".jsonl":
            numbered.write_ndjson(aside)
        else:
            lists = [name for name, own in numbered.schema.items() if isinstance(own, pl.List)]
            numbered.with_columns(pl.col(lists).list.join("|")).write_csv(aside)
    return numbered.height
