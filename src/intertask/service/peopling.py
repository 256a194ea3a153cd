"""What the store says of people, as a training reads it: a table beside the events."""

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from intertask.errors import RequestError
from intertask.inputs import Kind
from intertask.recipe import Recipe
from intertask.recommender import Recommender
from intertask.service.attributes import Attributes, cell
from intertask.service.questions import Value

_TYPES: dict[Kind, pl.DataType] = {"category": pl.String(), "number": pl.Float64()}


def known(file: Path) -> dict[str, Mapping[str, Value]]:
    """The properties of people by their ids; of a job that began before they were written, none."""
    if not file.exists():
        return {}
    with file.open(encoding="utf-8") as lines:
        return dict(json.loads(line) for line in lines)


def kinds(recipe: Recipe, active: Path | None) -> dict[str, Kind]:
    """What a recipe says of attributes, or else what the active model reads; empty where nothing does."""
    named = recipe.data.people
    if named is not None and (named.categories or named.numbers):
        found: dict[str, Kind] = dict.fromkeys(named.categories or (), "category")
        return found | dict.fromkeys(named.numbers or (), "number")
    return {} if active is None else dict(Attributes(Recommender.load(active).answerer.model).columns)


def write(file: Path, out: Path, kinds: Mapping[str, Kind]) -> dict[str, object]:
    """Write the table; the section of a recipe that names it.

    Args:
        file: What the store says, in lines.
        out: The table.
        kinds: Which properties are read, and what each is; where none is named all are, and one is a number
            where all its values are.

    Raises:
        RequestError: Nothing is known of anybody.
    """
    people = known(file)
    named = kinds or _found(people)
    if not people or not named:
        raise RequestError(
            "[inputs]", "users with properties", "none in the store", "send them first: PUT /v1/users"
        )
    user = "user"
    while user in named:
        user += "_"
    columns = [pl.Series(user, list(people), dtype=pl.String)]
    for name, kind in named.items():
        values = [_readable(own.get(name), kind) for own in people.values()]
        columns.append(pl.Series(name, values, dtype=_TYPES[kind]))
    pl.DataFrame(columns).write_parquet(out)
    by_kind = {kind: [name for name in named if named[name] == kind] for kind in _TYPES}
    return {
        "path": out.name,
        "user": user,
        "categories": by_kind["category"],
        "numbers": by_kind["number"],
    }


def _found(people: Mapping[str, Mapping[str, Value]]) -> dict[str, Kind]:
    values: dict[str, list[Value]] = {}
    for own in people.values():
        for name, value in own.items():
            if value is not None and not isinstance(value, list):
                values.setdefault(name, []).append(value)
    return {
        name: "number" if all(_is_number(value) for value in given) else "category"
        for name, given in values.items()
    }


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _readable(value: Value, kind: Kind) -> str | float | None:
    try:
        return cell(value, kind)
    except ValueError:  # of another kind than it once was: the same as missing, as in a request
        return None
