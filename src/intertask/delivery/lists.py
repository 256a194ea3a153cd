"""Lists for everybody, in a file: asked for in batches, so that memory does not grow with the users."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from intertask.data import tables
from intertask.errors import DataError, RequestError
from intertask.storage.files import strange, written_aside
from intertask.terminal.progress import bar

KINDS = (".parquet", ".csv", ".jsonl")
USERS = 5_000  # asked for at once
COLUMNS = ["user", "rank", "item", "score"]

Ask = Callable[[pl.Series], pl.DataFrame]


def write_lists(file: str | Path, users: pl.Series, ask: Ask, *, overwrite: bool = False) -> int:
    """Write the lists of many users to a .parquet, .csv or .jsonl file, all or nothing; the number of rows.

    Args:
        file: Where. Lists that were written before are replaced.
        users: Their ids.
        ask: Gives the lists of some users.
        overwrite: Whether a file that holds anything else is replaced too.

    Raises:
        RequestError: The file cannot be made or replaced, or `ask` refuses.
        IntertaskError: The place cannot be written to.

    Example: everybody's lists are
        write_lists("lists.parquet", model.users, lambda users: model.recommend(users=users, titles=True))
    """
    file = Path(file)
    refuse_other(file, overwrite=overwrite)
    with written_aside(file) as aside:
        if file.suffix.lower() == ".parquet":
            return _parquet(aside, _batches(users, ask))
        return _text(aside, _batches(users, ask))


def refuse_other(file: Path, *, overwrite: bool = False) -> None:
    """Refuse a file that lists cannot be written to, before anything is asked.

    Raises:
        RequestError: Its name has another ending, or it holds anything but lists and is not overwritten.
    """
    refuse_ending(file)
    wrong = strange(file, "file")
    if not wrong and (overwrite or not file.exists()):
        return
    try:
        columns = [] if wrong else tables.scan(file).schema.names()
    except DataError:
        columns = []
    if columns[: len(COLUMNS)] != COLUMNS:
        raise RequestError(
            str(file), "a new file, or one of lists", "something else there", "choose another name"
        )


def refuse_ending(file: Path) -> None:
    """Refuse a name that lists cannot be written to.

    Raises:
        RequestError: It has another ending.
    """
    if file.suffix.lower() not in KINDS:
        raise RequestError(str(file), f"a file ending in {', '.join(KINDS)}", repr(file.suffix))


def _batches(users: pl.Series, ask: Ask) -> Iterator[pl.DataFrame]:
    """The lists batch by batch; an empty one where there are no users."""
    with bar("recommending", len(users)) as move:
        for start in range(0, max(1, len(users)), USERS):
            batch = users[start : start + USERS]
            yield ask(batch)
            move(len(batch))


def _parquet(file: Path, batches: Iterator[pl.DataFrame]) -> int:
    """A file a batch, put together without holding them all."""
    rows, pieces = 0, []
    for number, batch in enumerate(batches):
        pieces.append(file.with_name(f"batch{number:08}.parquet"))
        batch.write_parquet(pieces[-1])
        rows += batch.height
    pl.scan_parquet(pieces, glob=False).sink_parquet(file)
    return rows


def _text(file: Path, batches: Iterator[pl.DataFrame]) -> int:
    rows = 0
    with file.open("wb") as handle:
        for number, batch in enumerate(batches):
            if file.suffix.lower() == ".csv":
                batch.write_csv(handle, include_header=number == 0)
            else:
                batch.write_ndjson(handle)
            rows += batch.height
    return rows
