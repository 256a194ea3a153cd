"""Changes of a recipe on the command line: `--set train.epochs=5`. Knows TOML, and nothing of recipes."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from intertask.errors import RecipeError

_EXPECTED = "a key of the recipe, = and a value, such as train.epochs=5"
_CHANGE = re.compile(r"""((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=])+)=(.*)""", re.DOTALL)
_LONGEST = 80  # characters of a change that a message shows
_MOST = 10_000  # characters of a change; the parser needs the square of the number of a key's parts


def changed(table: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """A recipe's table with some values in place of its own.

    Args:
        table: As the file has it; it stays as it is.
        changes: `key=value`, the key with dots between its tables and quotes where a name has dots itself;
            the value in TOML, or a bare word, which is text.

    Raises:
        RecipeError: A change is none, or leads through a value.
    """
    result = dict(table)
    for change in changes:
        path, value = _parsed(change)
        place: dict[str, Any] = result
        for name in path[:-1]:
            inner = place.get(name, {})
            # `encoder = "gru"` is short for a table with that kind.
            inner = {"kind": inner} if isinstance(inner, str) else inner
            if not isinstance(inner, Mapping):
                raise RecipeError(named([change]), "a table of the recipe on the way", f"{name} = {inner!r}")
            place[name] = dict(inner)
            place = place[name]
        place[path[-1]] = value
    return result


def merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's table with others laid over it, table by table.

    Args:
        table: A whole section; it stays as it is.
        changes: Values by their keys, which may lead through tables by dots. A table of another kind takes
            the place of the one that is there, since its options are others.

    Raises:
        RecipeError: A key leads through a value.
    """
    result = dict(table)
    for key, value in changes.items():
        name, _, rest = str(key).partition(".")
        own = result.get(name)
        inner = {rest: value} if rest else value
        if rest and own is not None and not isinstance(own, Mapping):
            raise RecipeError(str(key), "tables on the way", f"{name} = {own!r}")
        if not isinstance(inner, Mapping) or not isinstance(own, Mapping):
            result[name] = merged({}, inner) if isinstance(inner, Mapping) else inner
        elif inner.get("kind", own.get("kind")) == own.get("kind"):
            result[name] = merged(own, inner)
        else:
            result[name] = merged({}, inner)
    return result


def named(changes: Sequence[str]) -> str:
    """Changes as errors call them."""
    shown = (change if len(change) <= _LONGEST else f"{change[:_LONGEST]}..." for change in changes)
    return " ".join(f"--set {change}" for change in shown)


def _parsed(change: str) -> tuple[list[str], Any]:
    if len(change) > _MOST:
        raise RecipeError(
            named([change]), f"at most {_MOST:,} characters", f"{len(change):,}", "write it into the recipe"
        )
    found = _CHANGE.fullmatch(change)
    key, text = (found[1].strip(), found[2].strip()) if found else ("", "")
    if not key or not text or "\n" in key:
        raise RecipeError(named([change]), _EXPECTED, "none")
    try:
        return _path(key), _value(text)
    except (ValueError, RecursionError) as error:  # an integer of 5,000 digits is no TOMLDecodeError
        raise RecipeError(named([change]), _EXPECTED, str(error), "quote text that looks like TOML") from None


def _path(key: str) -> list[str]:
    path, inner = [], tomllib.loads(f"{key} = 0")
    while isinstance(inner, dict):
        ((name, inner),) = inner.items()
        path.append(name)
    return path


def _value(text: str) -> Any:  # noqa: ANN401  (whatever TOML can hold)
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        if text[0] in "[{\"'":  # meant as TOML, and broken
            raise
        return text
    # A date or a second line is no value of a recipe, but may be meant as text.
    value = table["value"]
    return value if len(table) == 1 and isinstance(value, str | bool | int | float | list | dict) else text
