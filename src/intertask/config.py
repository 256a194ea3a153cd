"""Recipes become frozen, typed objects, and a folder of files becomes a set of choices.

`[encoder] kind = "gru"` is `intertask/encoders/gru.py`: the module holds one class `Config`, whose
fields are the section's keys and whose `build` makes the thing. A plugin outside the project is an
entry point in the group `intertask.encoders`. This module knows no plugin by name.
"""

import difflib
import importlib
import importlib.metadata
import pkgutil
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from intertask.errors import RecipeError

ConfigType = TypeVar("ConfigType", bound="Config")


class Config(BaseModel):
    """A section of a recipe: frozen, finite numbers only, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PluginConfig(Config):
    """The section of a plugin. `kind` is the name of its file."""

    kind: str


@cache
def kinds(folder: str) -> tuple[str, ...]:
    """The kinds that a plugin folder offers, the project's own first; imports none of them."""
    package = importlib.import_module(f"intertask.{folder}")
    own = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name[0] != "_")
    foreign = sorted(entry.name for entry in importlib.metadata.entry_points(group=f"intertask.{folder}"))
    return (*own, *(name for name in foreign if name not in own))


def config_class(folder: str, kind: str, where: str) -> type[PluginConfig]:
    """The `Config` of one plugin.

    Raises:
        RecipeError: No plugin of that kind is in the folder.
    """
    if kind not in kinds(folder):
        raise RecipeError(
            f"{where} kind", f"one of {', '.join(kinds(folder))}", repr(kind), _suggest(kind, kinds(folder))
        )
    for entry in importlib.metadata.entry_points(group=f"intertask.{folder}", name=kind):
        found: type[PluginConfig] = entry.load().Config
        return found
    found = importlib.import_module(f"intertask.{folder}.{kind}").Config
    return found


def parse(kind: type[ConfigType], table: object, where: str) -> ConfigType:
    """A section of a recipe as its typed object.

    Args:
        kind: The class that the section becomes.
        table: What the file holds there.
        where: File and section, for the error.

    Raises:
        RecipeError: The first thing that is wrong with it.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise _as_recipe_error(kind, error.errors()[0], where) from None
    except RecipeError as error:  # from a plugin inside this section
        raise RecipeError(f"{where} {error.where}", error.expected, error.found, error.hint) from None


def parse_plugin(folder: str, value: object, where: str) -> PluginConfig:
    """The section of a plugin, which is a table with a `kind`, or the kind alone.

    Raises:
        RecipeError: As for `parse`, or the kind is missing or unknown.
    """
    if isinstance(value, PluginConfig):
        return value
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("kind"), str):
        raise RecipeError(where, f"a table with kind = one of {', '.join(kinds(folder))}", repr(value))
    return parse(config_class(folder, table["kind"], where), dict(table), where)


def plugin(folder: str) -> Any:  # noqa: ANN401  (annotations for `Annotated`, which takes anything)
    """Annotates a field that holds the config of one plugin of a folder."""

    def read(value: object, info: ValidationInfo) -> PluginConfig:
        return parse_plugin(folder, value, f"[{info.field_name}]")

    return BeforeValidator(read)


def plugins(folder: str) -> Any:  # noqa: ANN401  (see `plugin`)
    """Annotates a field that holds a table of named plugins of a folder."""

    def read(value: object, info: ValidationInfo) -> dict[str, PluginConfig]:
        if not isinstance(value, Mapping) or not value:
            name = info.field_name
            raise RecipeError(f"[{name}]", f"at least one table [{name}.NAME]", repr(value))
        return {
            str(name): parse_plugin(folder, part, f"[{info.field_name}.{name}]")
            for name, part in value.items()
        }

    return BeforeValidator(read)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as tables.

    Raises:
        RecipeError: The file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(str(path), "a recipe file", "no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(str(path), "a TOML file", str(error)) from None


def _as_recipe_error(kind: type[BaseModel], error: ErrorDetails, where: str) -> RecipeError:
    path = [str(part) for part in error["loc"]]
    place = f"{where} {'.'.join(path)}"
    if error["type"] == "extra_forbidden":
        known = _fields(kind, error["loc"][:-1])
        return RecipeError(
            place, f"one of {', '.join(known)}", f"the unknown key {path[-1]!r}", _suggest(path[-1], known)
        )
    if error["type"] == "missing":
        return RecipeError(place, "a value", "nothing", f"add {path[-1]} = ...")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return RecipeError(place, message, repr(error["input"]))


def _fields(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        annotation = kind.model_fields[str(part)].annotation if str(part) in kind.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        kind = annotation
    return sorted(kind.model_fields)


def _suggest(word: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""
