"""Recipes become frozen, typed objects, and a folder of files becomes a set of choices.

`[encoder] kind = "gru"` is `intertask/encoders/gru.py`: the module holds one class `Config`, whose
fields are the section's keys and whose `build` makes the thing. A plugin outside the project is an
entry point in the group `intertask.encoders`. This module knows no plugin by name.
"""

import ast
import difflib
import importlib
import importlib.metadata
import pkgutil
import re
import tomllib
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from intertask.errors import IntertaskError, RecipeError
from intertask.storage.untrusted import DEEPEST, read_bytes, refuse_extremes

ConfigType = TypeVar("ConfigType", bound="Config")


LONGEST = 200  # characters of what was found; a whole section says nothing
RECIPE_BYTES = 256 << 10  # of a file in TOML
RECIPE_JSON_BYTES = 4 << 20
MOST_TABLES, LONGEST_NAME = 64, 100  # named tables of one kind, and characters of a name
MOST_PARTS = 32  # of a name with dots
_NOT_DOTTED, _PART = re.compile(r"[^\w'\"\-. \t]+"), re.compile(r"[\w'\"-][ \t]*\.")


class Config(BaseModel):
    """A section of a recipe: frozen, finite numbers only, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PluginConfig(Config):
    """The section of a plugin. `kind` is the name of its file."""

    kind: str

    @classmethod
    def __pydantic_init_subclass__(cls, **_options: object) -> None:
        """Every plugin's class is `Config`; shown it is called after its file as well, as `gru.Config`."""
        if cls.__name__ == "Config":
            cls.__name__ = f"{cls.__module__.rpartition('.')[2]}.Config"


@cache
def kinds(folder: str) -> tuple[str, ...]:
    """The kinds that a plugin folder offers, the project's own first; imports none of them."""
    own = _own(folder)
    foreign = sorted(entry.name for entry in importlib.metadata.entry_points(group=f"intertask.{folder}"))
    return (*own, *(name for name in foreign if name not in own))


def _own(folder: str) -> list[str]:
    package = importlib.import_module(f"intertask.{folder}")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name[0] != "_")


def config_class(folder: str, kind: str, where: str) -> type[PluginConfig]:
    """The `Config` of one plugin.

    Raises:
        RecipeError: No plugin of that kind is in the folder.
    """
    if kind not in kinds(folder):
        raise RecipeError(
            f"{where} kind", f"one of {', '.join(kinds(folder))}", repr(kind), _suggest(kind, kinds(folder))
        )
    if kind in _own(folder):
        found: type[PluginConfig] = importlib.import_module(f"intertask.{folder}.{kind}").Config
        return found
    (entry, *_) = importlib.metadata.entry_points(group=f"intertask.{folder}", name=kind)
    found = entry.load().Config
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
        section = kind.model_validate(table)
        _refuse_remade(section, table, ())
        return section
    except ValidationError as error:
        raise _as_recipe_error(kind, error.errors()[0], where) from None
    except RecipeError as error:  # from a plugin inside this section
        raise RecipeError(_inside(where, error.where), error.expected, error.found, error.hint) from None


def _refuse_remade(made: object, written: object, keys: tuple[str, ...]) -> None:
    """Text and truth values are no numbers, and numbers no truth values, though one makes the other.

    Raises:
        RecipeError: Names the first that was taken for the other.
    """
    if isinstance(made, Config) and isinstance(written, Mapping):
        for name in type(made).model_fields.keys() & written.keys():
            _refuse_remade(getattr(made, name), written[name], (*keys, name))
    elif isinstance(made, Mapping) and isinstance(written, Mapping):
        for name in made.keys() & written.keys():
            _refuse_remade(made[name], written[name], (*keys, str(name)))
    elif isinstance(made, tuple | list) and isinstance(written, tuple | list):
        for number, (one, other) in enumerate(zip(made, written, strict=False)):
            _refuse_remade(one, other, (*keys, str(number)))
    elif isinstance(made, int | float) and (
        isinstance(written, str) or isinstance(made, bool) != isinstance(written, bool)
    ):
        expected = "true or false" if isinstance(made, bool) else "a number"
        place = f"[{'.'.join(keys[:-1])}] {keys[-1]}" if keys[:-1] else keys[-1]
        raise RecipeError(place, expected, repr(written))


def parse_plugin(folder: str, value: object, where: str) -> PluginConfig:
    """The section of a plugin, which is a table with a `kind`, or the kind alone.

    Raises:
        RecipeError: As for `parse`, or the kind is missing or unknown.
    """
    if isinstance(value, PluginConfig):
        return value
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("kind"), str):
        named = kinds(folder)
        hint = f'add a kind, e.g. kind = "{named[0]}"' if isinstance(table, Mapping) and named else ""
        raise RecipeError(where, f"a table with kind = one of {', '.join(named)}", repr(value), hint)
    return parse(config_class(folder, table["kind"], where), dict(table), where)


def plugin(folder: str, table: str = "") -> Any:  # noqa: ANN401  (for `Annotated`, which takes anything)
    """Annotates a field that holds the config of one plugin of a folder.

    Args:
        folder: Where the plugins are.
        table: The recipe's table that the field stands in, for errors; none at the top or in a plugin.
    """

    def read(value: object, info: ValidationInfo) -> PluginConfig:
        return parse_plugin(folder, value, f"[{_dotted(table, info)}]")

    return BeforeValidator(read)


def plugins(folder: str, table: str = "", *, may_be_empty: bool = False) -> Any:  # noqa: ANN401  (see `plugin`)
    """Annotates a field that holds a table of named plugins of a folder; arguments as for `plugin`."""

    def read(value: object, info: ValidationInfo) -> dict[str, PluginConfig]:
        place = _dotted(table, info)
        if not isinstance(value, Mapping) or not (value or may_be_empty):
            raise RecipeError(f"[{place}]", f"at least one table [{place}.NAME]", repr(value))
        _refuse_many(value, place)
        return {str(name): parse_plugin(folder, part, f"[{place}.{name}]") for name, part in value.items()}

    return BeforeValidator(read)


def sections(kind: type[ConfigType]) -> Any:  # noqa: ANN401  (see `plugin`)
    """Annotates a field that holds a table of named sections, each an object of one class."""

    def read(value: object, info: ValidationInfo) -> dict[str, ConfigType]:
        if not isinstance(value, Mapping):
            raise RecipeError(f"[{info.field_name}]", f"tables [{info.field_name}.NAME]", repr(value))
        _refuse_many(value, str(info.field_name))
        return {
            str(name): part if isinstance(part, kind) else parse(kind, part, f"[{info.field_name}.{name}]")
            for name, part in value.items()
        }

    return BeforeValidator(read)


def _refuse_many(tables: Mapping[str, object], place: str) -> None:
    if len(tables) > MOST_TABLES:
        raise RecipeError(f"[{place}]", f"at most {MOST_TABLES} tables [{place}.NAME]", f"{len(tables):,}")
    for name in tables:
        if len(str(name)) > LONGEST_NAME:
            raise RecipeError(
                f"[{place}]", f"names of at most {LONGEST_NAME} characters", f"{len(str(name)):,} characters"
            )


# What the parser says of a name that comes twice, and at which line.
_TWICE = re.compile(r"Cannot declare (\(.*\)) twice \(at (line \d+|end of document)")


def _dotted(table: str, info: ValidationInfo) -> str:
    return f"{table}.{info.field_name}" if table else str(info.field_name)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as tables.

    Raises:
        RecipeError: The file is missing, too large or not TOML, or holds what no recipe does.
    """
    try:
        text = read_bytes(path, RECIPE_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        # The parser needs the square of the number of a name's parts.
        if any(len(_PART.findall(piece)) > MOST_PARTS for piece in _NOT_DOTTED.split(text)):
            raise RecipeError(str(path), "names of a few parts", f"one of more than {MOST_PARTS} parts")
        table = tomllib.loads(text)
        refuse_extremes(table, str(path))
        return table
    except RecursionError:
        raise RecipeError(str(path), f"at most {DEEPEST} tables or lists in each other", "more") from None
    except RecipeError:
        raise
    except IntertaskError as error:
        expected = "a recipe file" if error.expected == "a file" else error.expected
        raise RecipeError(error.where, expected, error.found, error.hint) from None
    except ValueError as error:  # no UTF-8, no TOML, or a number of more digits than Python reads
        if twice := _TWICE.search(str(error)):  # two tasks of one name, as a rule
            found = f"[{'.'.join(ast.literal_eval(twice[1]))}] twice"
            raise RecipeError(
                f"{path}, {twice[2]}", "each name once", found, "rename one of the two"
            ) from None
        raise RecipeError(str(path), "a TOML file", str(error)) from None


def _as_recipe_error(kind: type[BaseModel], error: ErrorDetails, where: str) -> RecipeError:
    tables, keys, kind = _walk(kind, [str(part) for part in error["loc"]])
    place = " ".join(filter(None, [where, f"[{'.'.join(tables)}]" if tables else "", ".".join(keys)]))
    key = error["loc"][-1] if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        # What is marked is filled in by the program, and no recipe may say it.
        known = sorted(name for name, field in kind.model_fields.items() if not field.json_schema_extra)
        return RecipeError(
            place, f"one of {', '.join(known)}", f"the unknown key {key!r}", _suggest(str(key), known)
        )
    if error["type"] == "missing":
        return RecipeError(place, "a value", "nothing", f"add {key} = ...")
    if error["type"] == "union_tag_invalid":
        tags = error["ctx"]["expected_tags"].replace("'", "").split(", ")
        tag = error["ctx"]["tag"]
        return RecipeError(f"{place} kind", f"one of {', '.join(tags)}", repr(tag), _suggest(tag, tags))
    if error["type"] == "union_tag_not_found":
        return RecipeError(place, "a table with a kind", repr(error["input"]), "add kind = ...")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    message = message.removeprefix("String should have ")
    if error["type"] == "tuple_type":
        message = 'a list, as ["..."]'
    expected, told, found = message.rpartition(", not ")  # a validator's own words say best what is wrong
    if not told:
        expected, found = message, repr(error["input"])
    return RecipeError(place, expected, found if len(found) <= LONGEST else "otherwise")


def _walk(kind: type[BaseModel], path: list[str]) -> tuple[list[str], list[str], type[BaseModel]]:
    """The tables on a path, the keys behind them, and the class of the last table."""
    tables: list[str] = []
    tagged: dict[str, type[BaseModel]] = {}  # where a table's kind decides what it is, pydantic adds it
    for place, part in enumerate(path):
        if part in tagged:
            kind, tagged = tagged[part], {}
            continue
        field = kind.model_fields.get(part)
        choices = _models(field.annotation) if field is not None else []
        if not choices:
            return tables, path[place:], kind
        tables.append(part)
        kind = choices[0]
        if len(choices) > 1:
            tagged = {str(choice.model_fields["kind"].default): choice for choice in choices}
    return tables, [], kind


def _models(annotation: object) -> list[type[BaseModel]]:
    parts = (annotation, *typing.get_args(annotation))
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def _inside(where: str, part: str) -> str:
    """The place of a plugin's section; in a plugin's own section, [tasks.buy] [loss] is [tasks.buy.loss]."""
    return f"{where[:-1]}.{part[1:]}" if where.endswith("]") and part.startswith("[") else f"{where} {part}"


def _suggest(word: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""
