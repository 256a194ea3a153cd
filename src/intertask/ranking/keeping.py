"""A ranker as JSON and arrays, which stand in a model folder that anybody may have made."""

import re
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, StrictStr, field_validator

from intertask.errors import IntertaskError
from intertask.options.config import Config
from intertask.rankers import ITEM, MODEL, NAME, Mixer, MixingConfig, RankerConfig
from intertask.ranking.ranker import History, Key, Ranker
from intertask.signals import Signal
from intertask.signals.constant import Constant
from intertask.signals.fact import Fact
from intertask.signals.fold_in import FoldIn
from intertask.signals.likeness import Likeness
from intertask.signals.neighbours import Neighbours
from intertask.signals.repeats import Repeats

FORMS: dict[str, type[Signal]] = {
    own.form: own for own in (Constant, Fact, FoldIn, Likeness, Neighbours, Repeats)
}
MOST = 100  # sources, columns or mixers

Name = Annotated[StrictStr, Field(max_length=200)]


class MixerOutline(Config):
    """Which mixer some arrays are of."""

    task: Name
    history: History
    model: StrictBool  # whether it reads the scores of the model's tasks
    columns: tuple[Name, ...] = Field(min_length=1, max_length=MOST)


class Outline(Config):
    """What the arrays of a ranker are of."""

    sources: dict[Name, StrictStr] = Field(max_length=MOST)  # name -> form of its signal
    mixers: tuple[MixerOutline, ...] = Field(max_length=MOST)
    same: dict[Name, Name] = Field(default={}, max_length=MOST)  # names of arrays that are another one

    @field_validator("sources")
    @classmethod
    def _known(cls, sources: dict[str, str]) -> dict[str, str]:
        for name, form in sources.items():
            if form not in FORMS:
                raise ValueError(f"one of {', '.join(FORMS)}, not {form[:80]!r}")
            if (form == Fact.form) != name.startswith(ITEM):
                raise ValueError(f"facts, and no others, whose names begin with {ITEM!r}, not {name!r}")
            if form != Fact.form and not re.fullmatch(NAME, name):
                raise ValueError(f"names of letters, digits, blanks, dots, _ and -, not {name!r}")
        return sources


def outline(ranker: Ranker) -> Outline:
    """What stands in the schema of a model folder."""
    return Outline(
        sources={name: own.form for name, own in ranker.signals.items()},
        mixers=tuple(
            MixerOutline(task=task, history=history, model=model, columns=own.read)
            for model, mixers in ((True, ranker.mixers), (False, ranker.without))
            for (task, history), own in mixers.items()
        ),
        same=_same(_all(ranker)),
    )


def arrays(ranker: Ranker) -> dict[str, NDArray[np.generic]]:
    """All its numbers, by name; an array that several signals share stands there once."""
    found = _all(ranker)
    again = _same(found)
    return {name: np.ascontiguousarray(array) for name, array in found.items() if name not in again}


def _same(found: Mapping[str, NDArray[np.generic]]) -> dict[str, str]:
    """The names of arrays that are there under an earlier name."""
    first: dict[int, str] = {}
    for name, array in found.items():
        first.setdefault(id(array), name)
    return {name: first[id(array)] for name, array in found.items() if first[id(array)] != name}


def _all(ranker: Ranker) -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = {}
    for name, signal in ranker.signals.items():
        found |= {f"sources/{name}/{part}": array for part, array in signal.arrays().items()}
    for place, own in enumerate([*ranker.mixers.values(), *ranker.without.values()]):
        found |= {f"mixers/{place}/{part}": array for part, array in own.arrays().items()}
    return found


def restored(
    told: Outline,
    found: Mapping[str, NDArray[np.generic]],
    config: RankerConfig,
    tasks: list[str],
    num_items: int,
    where: str,
) -> Ranker:
    """The ranker that an outline and arrays are of, whoever wrote them.

    Args:
        told: The outline.
        found: The arrays.
        config: The recipe's.
        tasks: Those that rank items.
        num_items: Of the catalogue.
        where: The file, for errors.

    Raises:
        IntertaskError: They are of none, or contradict each other or the recipe.
    """
    if not isinstance(config, MixingConfig):
        raise IntertaskError(where, "no ranker, as the recipe says", "one")
    parts: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, first in told.same.items():
        if first not in found or name in found:
            raise IntertaskError(f"{where} {name}", "the name of an array for another one", repr(first))
    shared = {name: found[first] for name, first in told.same.items()}
    for name, array in {**found, **shared}.items():
        owner, _, part = name.rpartition("/")
        parts.setdefault(owner, {})[part] = array
    signals = {
        name: FORMS[form].of(parts.pop(f"sources/{name}", {}), num_items, f"{where} sources/{name}")
        for name, form in told.sources.items()
    }
    known = {MODEL + task for task in tasks} | signals.keys()
    mixers: tuple[dict[Key, Mixer], dict[Key, Mixer]] = {}, {}
    for place, own in enumerate(told.mixers):
        here = f"{where} mixers/{place}"
        strange = [name for name in own.columns if name not in known]
        if strange or own.task not in tasks:
            found_there = repr(strange[0] if strange else own.task)
            raise IntertaskError(here, "tasks and sources of the model", found_there)
        if len(set(own.columns)) < len(own.columns):
            raise IntertaskError(here, "each column once", "one twice")
        mixer = config.restore(parts.pop(f"mixers/{place}", {}), own.columns, here)
        mixers[not own.model][own.task, own.history] = mixer
    if parts:
        raise IntertaskError(where, "the arrays of the schema", f"{next(iter(parts))!r}")
    return Ranker(signals, *mixers)
