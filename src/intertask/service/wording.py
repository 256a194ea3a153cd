"""What a body should have been, in words that know nothing of the library that checked it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "model_type": lambda _: "an object",
    "model_attributes_type": lambda _: "an object",
    "dict_type": lambda _: "an object",
    "tuple_type": lambda _: "a list",
    "list_type": lambda _: "a list",
    "too_short": lambda told: f"at least {told['min_length']:,} of them",
    "too_long": lambda told: f"at most {told['max_length']:,} of them",
    "string_type": lambda _: "text",
    "string_too_short": lambda told: f"text of at least {told['min_length']:,} characters",
    "string_too_long": lambda told: f"text of at most {told['max_length']:,} characters",
    "string_pattern_mismatch": lambda told: f"text of the form {told['pattern']}",
    "int_type": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "bool_type": lambda _: "true or false",
    "greater_than": lambda told: f"more than {told['gt']:,}",
    "greater_than_equal": lambda told: f"{told['ge']:,} or more",
    "less_than": lambda told: f"less than {told['lt']:,}",
    "less_than_equal": lambda told: f"{told['le']:,} or less",
}
_NOTHING = object()
_COUNTED = ("too_short", "too_long")


def expected(error: ErrorDetails) -> tuple[str, str | None]:
    """What was expected, and what was found where that says it better than the value itself."""
    told = error.get("ctx", {})
    if word := _WORDS.get(error["type"]):
        count = told.get("actual_length") if error["type"] in _COUNTED else None
        return word(told), "none" if count == 0 else None if count is None else f"{count:,}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    wanted, both, found = message.rpartition(", not ")  # a validator's own words say best what is wrong
    return (wanted, found) if both else (message, None)


def nearest(errors: Sequence[ErrorDetails], table: object) -> tuple[list[str | int], list[ErrorDetails]]:
    """What is wrong first, and where it stands in what was sent.

    A field of several kinds has an error of each kind: those count that went furthest into what was sent.

    Args:
        errors: Of the library, the first thing that is wrong first.
        table: What was sent.

    Returns:
        The place, and the errors of that place, one for each kind.
    """
    first = errors[0]
    place = _path(first["loc"], table)
    if len(first["loc"]) - (first["type"] == "missing") > len(place):  # the name of a kind stands behind it
        start = first["loc"][: len(place)]
        tried = [one for one in errors if one["loc"][: len(place)] == start]
        deepest = max(len(_path(one["loc"], table)) for one in tried)
        place = next(found for one in tried if len(found := _path(one["loc"], table)) == deepest)
        errors = [one for one in tried if _path(one["loc"], table) == place]
    else:
        errors = [first]
    return [*place, errors[0]["loc"][-1]] if errors[0]["type"] == "missing" else place, list(errors)


def _path(loc: tuple[str | int, ...], table: object) -> list[str | int]:
    """The parts of a place that stand in what was sent, without the names of kinds that were tried."""
    found: list[str | int] = []
    for part in loc:
        within = table.get(part, _NOTHING) if isinstance(table, dict) else _NOTHING
        if isinstance(table, list) and isinstance(part, int) and part < len(table):
            within = table[part]
        if within is not _NOTHING:
            table = within
            found.append(part)
    return found


def names_at(kind: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The names that an object inside a body may have, at a path into it."""
    for part in path:
        field = kind.model_fields.get(str(part))
        inner = _bodies(field.annotation) if field is not None else []
        kind = inner[0] if inner else kind
    return [one.alias or name for name, one in kind.model_fields.items()]


def _bodies(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [body for part in get_args(annotation) for body in _bodies(part)]
