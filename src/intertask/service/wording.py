"""What a body should have been, in words that know nothing of the library that checked it."""

from collections.abc import Callable, Mapping
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
