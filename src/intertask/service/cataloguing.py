"""Properties of items as a table whose columns have the types of a catalogue's roles."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl


def table(rows: Mapping[str, Mapping[str, object]], columns: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The items, a row each; what is not of a column's type is missing.

    Args:
        rows: The properties of each item.
        columns: The columns of each role, as `Catalogue.roles` has them; other properties are left out.
    """
    series = [pl.Series("item", list(rows), dtype=pl.String)]
    for role, (read, kind) in _ROLES.items():
        for name in columns.get(role, ()):
            series.append(pl.Series(name, [read(row.get(name)) for row in rows.values()], dtype=kind))
    return pl.DataFrame(series)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _numbers(value: object) -> list[float] | None:
    known = isinstance(value, list) and all(isinstance(one, int | float) for one in value)
    return [float(one) for one in value] if known and isinstance(value, list) else None


_ROLES: dict[str, tuple[Callable[[object], object], pl.DataType]] = {
    "text": (_word, pl.String()),
    "categories": (_word, pl.String()),
    "tags": (_words, pl.List(pl.String)),
    "numbers": (_number, pl.Float64()),
    "vectors": (_numbers, pl.List(pl.Float64)),  # of the model's own catalogue: the store keeps none
}
ROLES = tuple(_ROLES)
