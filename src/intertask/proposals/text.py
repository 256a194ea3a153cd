"""Lines of a recipe that is written for somebody: keys and values as TOML has them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from intertask.data.guesses import Look


def reading(look: Look) -> dict[str, object]:
    """How a file is read, where that is not the usual way."""
    return {"separator": look.table.separator, "encoding": look.encoding}


def beside(file: Path, path: Path) -> str:
    """A path as a recipe names it."""
    return Path(os.path.relpath(path, file.parent)).as_posix()


def key_lines(section: Mapping[str, object]) -> list[str]:
    """The keys of a table; those without a value are left out."""
    return [f"{name} = {toml(value)}" for name, value in section.items() if value is not None]


def toml(value: object) -> str:
    """A value in TOML, whose strings are those of JSON except for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
