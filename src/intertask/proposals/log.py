"""A first recipe for a log that nobody has described yet: sane options, each with a comment that says why."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.event_log import EventLog
from intertask.data.guesses import Look
from intertask.data.prepare import prepare
from intertask.data.roles import Roles
from intertask.errors import RecipeError
from intertask.fitting.experiment import refuse_unfit
from intertask.model import is_reserved
from intertask.options.config import parse
from intertask.proposals.people import people, people_lines
from intertask.proposals.text import beside, key_lines, reading, toml
from intertask.recipe import MAIN, Recipe
from intertask.terminal.printable import printable

# What the names of behaviours hold, the least valuable first.
_LADDER = (
    r"impress|expos|shown|showing|display",
    r"view|visit|browse|seen|detail|ansicht|aufruf|angeseh|^pv$",
    r"cli[ck]|klick|^play|listen|watch|stream|^open|^read",
    r"search|such|finish|complete",
    r"like|fav|wish|bookmark|follow|collect|merk|save|share|^rat(e|ing)|review|comment|bewert",
    r"cart|basket|warenkorb|add",
    r"checkout|begin",
    r"buy|bought|purchase|order|transact|sale|sold|kauf|bestell|conver|paid|achat|compra",
)
_BACK = r"return|refund|remove|cancel|storno|retour|rück|dislike|^un|skip|delete"
_RARE, _FEW = 200, 20  # events of a behaviour, or labels, below which a task learns nothing
_RANKER = (
    "",
    "[ranker]  # lists mix the model with what counts: repeats, what follows what, what is popular",
    'kind = "blend"  # weights are learned on validation events; with "none" the model ranks alone',
)
_KEPT = 0.05  # share of repeats from which on items of the history may come again
_MANY_ITEMS = 20_000
_NAME = re.compile(r"[\W]+")


@dataclass(frozen=True)
class Written:
    """A recipe that fits its log.

    Args:
        text: The file.
        left_out: Tasks that the log cannot teach, and why.
        log: What was read.
    """

    text: str
    left_out: Mapping[str, str]
    log: EventLog


@dataclass
class _Task:
    name: str
    comment: str
    keys: dict[str, object] = field(default_factory=dict)


def first_recipe(file: Path, log: Look, roles: Roles) -> Written:
    """A recipe that trains, evaluates and recommends as it is.

    Args:
        file: Where it will be written, beside which its paths are relative.
        log: The log.
        roles: What its columns are.

    Raises:
        DataError: The log cannot be read with these roles.
        RecipeError: Nothing can be learnt from it.
    """
    section = _events(file, log, roles)
    events = EventLog.read(log.path, **_arguments(section))  # type: ignore[arg-type]
    tasks, left_out, mixed = _tasks(events, roles), {}, True
    corpus = prepare(events, people=people(roles))
    while True:
        text = _text(file, section, roles, events, tasks, mixed)
        recipe = parse(Recipe, tomllib.loads(text), str(file))
        try:
            refuse_unfit(recipe, {MAIN: corpus})
        except RecipeError as error:
            if error.where == "[ranker]":  # too few events to learn weights on
                mixed = False
                continue
            # What training would refuse is left out, the last of the tasks first.
            if len(tasks) == 1:
                raise
            left_out[tasks.pop().name] = str(error)
            continue
        return Written(text, left_out, events)


def _arguments(section: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in section.items() if name != "path"}


def _events(file: Path, log: Look, roles: Roles) -> dict[str, object]:
    section: dict[str, object] = {"path": beside(file, log.path), **reading(log)}
    section |= {"user": roles.user, "item": roles.item}
    section |= {"time": roles.time, "time_format": roles.time_format, "behaviour": roles.behaviour}
    section |= {"labels": list(roles.labels) or None, "sequences": roles.sequences or None}
    return {name: value for name, value in section.items() if value is not None}


def value_order(counts: Mapping[str, int]) -> list[str]:
    """Behaviours by their value, the least first: by what their names say, else the rarer the more.

    Names that say nothing come first if most others say something. Of two names that say the same, the more
    frequent one comes last, because it can be learnt better.
    """
    ranks = {name: _rank(name) for name in counts}
    silent = sum(rank is None for rank in ranks.values())
    if silent == 0 or 3 * silent <= len(ranks):
        return sorted(counts, key=lambda name: (ranks[name] or 0, counts[name], name))
    return sorted(counts, key=lambda name: (-counts[name], name))


def _rank(name: str) -> int | None:
    folded = name.casefold()
    if re.search(_BACK, folded):
        return -1
    found = [place for place, words in enumerate(_LADDER) if re.search(words, folded)]
    return found[-1] if found else None


def _tasks(events: EventLog, roles: Roles) -> list[_Task]:
    tasks = [_Task("next", "the next item, whatever is done with it", {"kind": "next_item"})]
    counts: dict[str, int] = dict(
        events.coded.group_by("behaviour")
        .len()
        .select(pl.col("behaviour").cast(pl.String), "len")
        .iter_rows()
    )
    order = value_order(counts)
    worthy = [name for name in order[1:] if counts[name] >= _RARE and (_rank(name) or 0) >= 0]
    for name in reversed(worthy[-2:]):
        comment = f"the next item of this behaviour: {counts[name]:,} of {sum(counts.values()):,} events"
        keys: dict[str, object] = {"kind": "next_item", "behaviour": name}
        tasks.append(_Task(_slug(name, tasks), comment, keys))
    for label in roles.labels:
        values = events.coded[label].drop_nulls()
        if len(values) < _RARE or values.n_unique() < 2:
            continue
        keys = {"kind": "response", "label": label}
        comment = "how the user will answer to an item"
        if set(values.unique().to_list()) != {0.0, 1.0}:
            at_least = _threshold(values)
            keys["at_least"] = at_least
            comment += (
                f": yes from {at_least:g} on, {(values.to_numpy() >= at_least).mean():.0%} of the events"
            )
        tasks.append(_Task(_slug(label, tasks), comment, keys))
    return tasks


def _threshold(values: pl.Series) -> float:
    """The value from which on nearest to half of the labels are a yes."""
    steps = np.unique(np.quantile(values.to_numpy(), np.linspace(0, 1, 101), method="nearest"))[1:]
    shares = [(values.to_numpy() >= step).mean() for step in steps]
    return float(steps[int(np.argmin(np.abs(np.array(shares) - 0.5)))])


def _slug(name: str, tasks: Sequence[_Task]) -> str:
    slug = _NAME.sub("_", name).strip("_").lower() or "task"
    slug = f"task_{slug}" if slug[0].isdigit() else slug
    taken = is_reserved(slug) or slug in [task.name for task in tasks]
    return f"{slug}_{len(tasks)}" if taken else slug


def _text(
    file: Path,
    section: Mapping[str, object],
    roles: Roles,
    events: EventLog,
    tasks: Sequence[_Task],
    mixed: bool,
) -> str:
    lengths = events.coded.group_by("user").len()["len"].to_numpy().astype(np.int64)
    num_items, size = events.coded["item"].n_unique(), events.num_events
    repeats = 1 - events.coded.select("user", "item").n_unique() / max(size, 1)
    path, name = printable(str(section["path"])), printable(file.name)
    lines = [
        f"# A first recipe, made from {path}:",
        f"# {size:,} events of {len(lengths):,} users with {num_items:,} items.",
        f"# Each line may be changed; `intertask data {name}` says whether it fits.",
        "",
        "width = 64",
        f"max_length = {_max_length(lengths)}  # the median of the users has {np.median(lengths):.0f} events",
        "",
        "[data.events]",
        *key_lines(section),
        *_catalogue(file, roles, events),
        *people_lines(file, roles),
        "",
        "[encoder]",
        'kind = "gru"  # quick on a CPU; "attention" is worth a trial where events are many',
        f"dropout = {_dropout(size)}  # the fewer events, the more",
    ]
    for task in tasks:
        key = task.name if task.name.isascii() else toml(task.name)  # TOML wants others quoted
        lines += ["", f"[tasks.{key}]  # {printable(task.comment)}", *key_lines(task.keys)]
        if num_items > _MANY_ITEMS and task.keys["kind"] == "next_item":
            lines += ["", f"[tasks.{key}.loss]", 'kind = "shared_pool"  # the full softmax is slow here']
    if mixed:
        lines += _RANKER
    lines += ["", "[train]", f"epochs = {_epochs(size)}"]
    lines += ["patience = 5  # epochs without a better validation metric, which end it"]
    kept = repeats >= _KEPT
    lines += [
        "",
        "[evaluation]",
        f"# {repeats:.0%} of the events repeat an item of the same user: "
        + ("items of the history may come again." if kept else "what a user knows is not recommended again."),
    ]
    return "\n".join([*lines, f"history = [{toml('kept' if kept else 'masked')}]"]) + "\n"


def _catalogue(file: Path, roles: Roles, events: EventLog) -> list[str]:
    look = roles.catalogue
    if look is None:
        return []
    found: dict[str, object] = {"path": beside(file, look.path), **reading(look)}
    found |= {
        "item": roles.catalogue_item,
        "text": list(roles.text) or None,
        "tags": list(roles.tags) or None,
        "categories": list(roles.categories) or None,
        "numbers": list(roles.numbers) or None,
    }
    lines = [
        "",
        "[data.catalogue]  # shown beside the items, and lists are filtered by it; not learnt from",
        *key_lines(found),
    ]
    if look.table.name == events.report.source:
        lines.append(
            "# The log itself: the first row of each item says its title, the others are duplicates."
        )
    return lines


def _max_length(lengths: NDArray[np.int64]) -> int:
    return 20 if float(np.quantile(lengths, 0.9)) <= 20 else 50


def _dropout(size: int) -> float:
    return 0.4 if size < 100_000 else 0.3 if size < 1_000_000 else 0.2


def _epochs(size: int) -> int:
    """So many that training takes minutes on a CPU."""
    return int(np.clip(4_000_000 // max(size, 1), 4, 40))
