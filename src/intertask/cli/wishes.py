"""What a list should be like, on the command line: `CONDITION=NUMBER`, as `price < 20=1.5`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from intertask.errors import RequestError

Number = TypeVar("Number", int, float)


def factors(words: Sequence[str] | None) -> dict[str, float] | None:
    """Conditions and what the probabilities of their items are multiplied by; None where none is given.

    Raises:
        RequestError: A word is no condition with a number, or two have the same condition.
    """
    return None if words is None else dict(_pairs(words, "--boost", "CONDITION=FACTOR", float))


def counts(words: Sequence[str] | None) -> dict[str, int] | None:
    """Conditions and how many of their items a list may hold; None where none is given.

    Raises:
        RequestError: A word is no condition with a whole number, or two have the same condition.
    """
    return None if words is None else dict(_pairs(words, "--quota", "CONDITION=COUNT", int))


def refuse_flat(file: Path, *, explained: bool) -> None:
    """Refuse a file without a place for lists within a row, before anything is asked.

    Raises:
        RequestError: Explained lists shall be written to CSV.
    """
    if explained and file.suffix.lower() == ".csv":
        hint = "CSV has no place for the sources of an item"
        raise RequestError("--explain --out", "a file ending in .parquet or .jsonl", repr(file.suffix), hint)


def _pairs(
    words: Sequence[str], option: str, form: str, number: Callable[[str], Number]
) -> list[tuple[str, Number]]:
    found: dict[str, Number] = {}
    for word in words:
        # The last sign parts them: a condition may hold several.
        condition, _, told = word.rpartition("=")
        try:
            value = number(told)
        except (ValueError, OverflowError):
            raise RequestError(option, form, repr(word)) from None
        condition = condition.strip()
        if not condition:
            raise RequestError(option, form, repr(word))
        if condition in found:
            raise RequestError(option, "each condition once", f"two of {condition!r}")
        found[condition] = value
    return list(found.items())
