"""Lists for everybody, in a file: asked for in parts, so that memory does not grow with the users."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from intertask.data import tables
from intertask.errors import DataError, RequestError
from intertask.files import written_aside
from intertask.progress import bar

KINDS = (".parquet", ".csv", ".jsonl")
USERS = 5_000  # asked for at once
COLUMNS = ["user", "rank", "item", "score"]

Ask = Callable[[pl.Series], pl.DataFrame]


def write_lists(file: str | Path, users: pl.Series, ask: Ask) -> int:
    """Write the lists of many users to a .parquet, .csv or .jsonl file, all or nothing; the number of rows.

    Args:
        file: Where. Lists that were written before are replaced, and no other file is.
        users: Their ids.
        ask: Gives the lists of some users.

    Raises:
        RequestError: The file cannot be made or replaced, or `ask` refuses.
        IntertaskError: The place cannot be written to.

    Example: everybody's lists are
        write_lists("lists.parquet", model.users, lambda users: model.recommend(users=users, titles=True))
    """
    file = Path(file)
    refuse_other(file)
    with written_aside(file) as aside:
        if file.suffix.lower() == ".parquet":
            return _parquet(aside, _parts(users, ask))
        return _text(aside, _parts(users, ask))


def refuse_other(file: Path) -> None:
    """Refuse a file that lists cannot be written to, before anything is asked.

    Raises:
        RequestError: Its name has another ending, or it holds anything but lists.
    """
    if file.suffix.lower() not in KINDS:
        raise RequestError(str(file), f"a file ending in {', '.join(KINDS)}", repr(file.suffix))
    if not file.exists() and not file.is_symlink():
        return
    try:
        columns = tables.scan(file).schema.names() if file.is_file() else []
    except DataError:
        columns = []
    if columns[: len(COLUMNS)] != COLUMNS:
        raise RequestError(
            str(file), "a new file, or one of lists", "something else there", "choose another name"
        )


def _parts(users: pl.Series, ask: Ask) -> Iterator[pl.DataFrame]:
    """The lists part by part; an empty one where there are no users."""
    with bar("recommending", len(users)) as move:
        for start in range(0, max(1, len(users)), USERS):
            part = users[start : start + USERS]
            yield ask(part)
            move(len(part))


def _parquet(file: Path, parts: Iterator[pl.DataFrame]) -> int:
    """A file a part, put together without holding them all."""
    rows, pieces = 0, []
    for number, part in enumerate(parts):
        pieces.append(file.with_name(f"part{number:08}.parquet"))
        part.write_parquet(pieces[-1])
        rows += part.height
    pl.scan_parquet(pieces, glob=False).sink_parquet(file)
    return rows


def _text(file: Path, parts: Iterator[pl.DataFrame]) -> int:
    rows = 0
    with file.open("wb") as handle:
        for number, part in enumerate(parts):
            if file.suffix.lower() == ".csv":
                part.write_csv(handle, include_header=number == 0)
            else:
                part.write_ndjson(handle)
            rows += part.height
    return rows
