"""What a request and the store say of somebody, as the inputs beside the events of a model read it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

import polars as pl

from intertask.data.columns import EDGES, MISSING
from intertask.data.people import nobody
from intertask.data.rows import Rows
from intertask.data.sequences import Sequences
from intertask.errors import RequestError
from intertask.events import beside
from intertask.inputs import Kind
from intertask.model import Model
from intertask.service.questions import Value

Cell = str | float | None
LARGEST, EXACT = 3e38, 2**53  # of float32; whole numbers that a float tells apart
_NO_NUMBER = f"a finite number of at most {LARGEST:g}"
_NO_WORD = "text, a number or true or false"


class Attributes:
    """What a model reads of people beside their events; nothing, of most models.

    Args:
        model: That reads it.
    """

    def __init__(self, model: Model) -> None:
        self._readers = beside.readers_of(model)
        self.columns = beside.columns(self._readers)

    def known(
        self, said: Mapping[str, Value], person: Callable[[], Mapping[str, Value]]
    ) -> tuple[dict[str, Cell], int]:
        """What is known of a person, of what the model reads, and how many properties it cannot read.

        Args:
            said: What the request says; it goes before what the store says.
            person: Gives the properties that the store has of the person.

        Raises:
            RequestError: The model reads no such attribute, or it is of another kind.
        """
        if not self.columns and not said:
            return {}, 0
        told = _said(said, self.columns)
        known, strange = _kept(person(), self.columns)
        return known | told, strange

    def beside(self, histories: Sequences, people: Sequence[Mapping[str, Cell]]) -> Sequences:
        """Histories with what is known of their people, in the same order."""
        if not self._readers:
            return histories
        return replace(histories, beside=beside.read(self._readers, _rows(people, self.columns)))


def _said(given: Mapping[str, Value], columns: Mapping[str, Kind]) -> dict[str, Cell]:
    """What a request says of somebody.

    Args:
        given: By the names of the attributes.
        columns: What the model reads, and what each is.

    Raises:
        RequestError: The model reads no such attribute, or it is of another kind.
    """
    found: dict[str, Cell] = {}
    for name, value in given.items():
        if name not in columns:
            close = get_close_matches(name, columns, n=1, cutoff=0.5)
            known = ", ".join(list(columns)[:10]) or "none: it reads events alone"
            hint = f"did you mean {close[0]!r}?" if close else "leave it out"
            raise RequestError("attributes", f"attributes that the model reads: {known}", repr(name), hint)
        try:
            found[name] = cell(value, columns[name])
        except ValueError as error:
            raise RequestError(f"attributes.{name}", str(error), repr(value)[:100]) from None
    return found


def _kept(given: Mapping[str, Value], columns: Mapping[str, Kind]) -> tuple[dict[str, Cell], int]:
    """What the store says of somebody, and how many of the values are none that the model can read."""
    found: dict[str, Cell] = {}
    strange = 0
    for name in columns.keys() & given.keys():
        try:
            found[name] = cell(given[name], columns[name])
        except ValueError:
            strange += 1
    return found, strange


def _rows(people: Sequence[Mapping[str, Cell]], columns: Mapping[str, Kind]) -> Rows:
    """A row for each of some people; what nobody has said is missing."""
    nothing = nobody(columns, 0)
    told = {name: [one.get(name) for one in people] for name in columns}
    frame = pl.DataFrame(told, schema=nothing.inputs.schema)
    return Rows(frame, nothing.labels, nothing.roles, nothing.report)


def cell(value: Value, kind: Kind) -> Cell:
    """One value as a file would have it; words for a missing one are none.

    Raises:
        ValueError: It is of another kind.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip(EDGES)
        if value in MISSING or not value:
            return None
    return _number(value) if kind == "number" else _word(value)


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(_NO_NUMBER)
    if isinstance(value, str) and "_" in value:  # Python would read 1_000
        raise ValueError(_NO_NUMBER)
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise ValueError(_NO_NUMBER) from None
    if not math.isfinite(found) or abs(found) > LARGEST:
        raise ValueError(_NO_NUMBER)
    return found


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(_NO_WORD)
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if not isinstance(value, str | int):
        raise ValueError(_NO_WORD)
    return str(value)
