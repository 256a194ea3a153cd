"""Files of ours, known by what is in them, so that no other file of the same name is ever replaced.

Older versions wrote the same keys and columns, but no generator into their pages.
"""

import json
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from intertask.errors import IntertaskError
from intertask.storage.files import strange
from intertask.storage.untrusted import open_regular, read_bytes

GENERATOR = "intertask"  # of our pages
_PAGE = f'<meta name="generator" content="{GENERATOR}">'.encode()
_OLD_PAGE = b"--series-1: #0072b2"  # of the style that all our pages have had
_HEAD = 1 << 16  # bytes; the style of a page is shorter
_MOST = 1 << 30  # bytes of a JSON or TOML of ours

Recognise = Callable[[Path], bool]


def foreign(file: Path, kind: str = "") -> str:
    """What stands in the place of a file of ours, in words; nothing where it is ours, or not there.

    Args:
        file: Is looked at.
        kind: The name that such files have in a run's folder; left out, its own.
    """
    wrong = strange(file, "file")
    if wrong or not file.exists():
        return wrong
    try:
        known = _KINDS[kind or file.name](file)
    except (OSError, ValueError, RecursionError, IntertaskError, pl.exceptions.PolarsError):
        known = False
    return "" if known else "a file of something else"


def refuse_foreign(files: Iterable[Path], kind: str = "") -> None:
    """Refuse files that are not ours; changes nothing.

    Args:
        files: Need not exist.
        kind: As `foreign` has it.

    Raises:
        IntertaskError: Names the first.
    """
    for file in files:
        found = foreign(file, kind)
        if found:
            raise IntertaskError(
                str(file),
                "a file that intertask wrote, or nothing yet",
                found,
                "move it elsewhere, or choose another folder; nothing was changed",
            )


def _json(*keys: str) -> Recognise:
    def recognise(file: Path) -> bool:
        found = json.loads(read_bytes(file, _MOST))
        return isinstance(found, dict) and found.keys() >= set(keys)

    return recognise


def _columns(*names: str) -> Recognise:
    def recognise(file: Path) -> bool:
        with file.open("rb") as handle:  # a path may be a pattern
            return pl.read_parquet_schema(handle).keys() >= set(names)

    return recognise


def _page(file: Path) -> bool:
    with open_regular(file) as handle:
        head = handle.read(_HEAD)
    return _PAGE in head or _OLD_PAGE in head


def _recipe(file: Path) -> bool:
    found = tomllib.loads(read_bytes(file, _MOST).decode("utf-8-sig"))
    return bool(found.keys() & {"data", "tasks"})


def _journal(file: Path) -> bool:
    """Its first line, or what a killed process has written of it."""
    with open_regular(file) as handle:
        head = handle.read(len(_EVENT))
    return _EVENT.startswith(head)


def _refused_rows(file: Path) -> bool:
    with open_regular(file) as handle:
        return handle.readline(len(_REFUSED) + 1) == _REFUSED


_REFUSED = b"row,reason,column,value\n"
_EVENT = b'{"event": "'
_TARGETS = ("system", "task", "user", "target")
_KINDS: dict[str, Recognise] = {
    "recipe.toml": _recipe,
    "recipe.json": _json("encoder", "tasks", "train", "evaluation"),
    "journal.jsonl": _journal,
    "refused.parquet": _columns("row", "reason", "column", "value"),
    "refused.csv": _refused_rows,
    "evaluation.json": _json("model", "protocol", "provenance", "rankings"),
    "targets.parquet": _columns("system", "task", "unit", "target", "metric", "value"),
    "ranks.parquet": _columns(*_TARGETS, "rank"),
    "answers.parquet": _columns(*_TARGETS, "metric"),
    "report.html": _page,
    "transfer.json": _json("recipe", "seeds", "protocol", "tasks"),
    "transfer.html": _page,
}
