"""What a tuning may change of a recipe: `[tune.space]`, keys with the values that they may have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from intertask.errors import RecipeError
from intertask.options.config import read_toml

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = str | int | float | bool
_LIKE = "a list of values, or {low = ..., high = ...} with log = true or step = ... if wanted"


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]

    def suggested(self, trial: "Trial", key: str) -> Value:
        """The value that a trial is to have."""
        place = trial.suggest_categorical(key, list(range(len(self.values))))
        return self.values[place]


@dataclass(frozen=True)
class Between:
    """A number between two others.

    Args:
        low: The least one.
        high: The greatest one.
        log: Whether its logarithm is drawn evenly.
        step: Between two neighbours.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def suggested(self, trial: "Trial", key: str) -> Value:
        """The value that a trial is to have."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            step = 1 if self.step is None else int(self.step)
            return trial.suggest_int(key, self.low, self.high, step=step, log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)


Space = dict[str, Choice | Between]


def read(file: Path) -> Space:
    """The space of a recipe.

    Raises:
        RecipeError: It has none, or something in it is no such thing.
    """
    where = f"{file} [tune.space]"
    section = read_toml(file).get("tune")
    table = section.get("space") if isinstance(section, Mapping) and len(section) == 1 else None
    if not isinstance(table, Mapping) or not table:
        hint = 'such as [tune.space] "train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}'
        raise RecipeError(where, "keys of the recipe with their values", "none or other keys", hint)
    return {key: _part(f"{where} {key!r}", value) for key, value in _flat(table).items()}


def toml(value: object) -> str:
    """A value in TOML, whose texts, numbers and lists are those of JSON except for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def changes(values: Mapping[str, Value]) -> list[str]:
    """Values of keys as changes of a recipe."""
    return [f"{key}={toml(value)}" for key, value in sorted(values.items())]


def _flat(table: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Keys with dots, however they were nested; a table with `low` is a value."""
    found: dict[str, object] = {}
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping) and "low" not in value:
            found |= _flat(value, f"{key}.")
        else:
            found[key] = value
    return found


def _part(where: str, value: object) -> Choice | Between:
    if isinstance(value, list):
        if len(value) < 2 or not all(isinstance(one, str | int | float | bool) for one in value):
            raise RecipeError(where, "a list of two values at least", repr(value)[:80])
        return Choice(tuple(value))
    if not isinstance(value, Mapping) or not {"low", "high"} <= value.keys() <= {
        "low",
        "high",
        "log",
        "step",
    }:
        raise RecipeError(where, _LIKE, repr(value)[:80])
    low, high, log, step = value["low"], value["high"], value.get("log", False), value.get("step")
    numbers = [one for one in (low, high, step) if one is not None]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in numbers) or not low < high:
        raise RecipeError(where, "numbers, low below high", repr(value)[:80])
    if (
        not isinstance(log, bool)
        or (log and (low <= 0 or step is not None))
        or (step is not None and step <= 0)
    ):
        expected = "log = true with low above zero and no step, or a step above zero"
        raise RecipeError(where, expected, repr(value)[:80])
    return Between(low, high, log, step)
