"""What the columns of a log and of a catalogue are: as was said, guessed, or answered by a person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from intertask.data.guesses import Look
from intertask.errors import RequestError

Ask = Callable[[str, list[str], str | None], str]
NONE = "none"
_REQUIRED = ("user", "item")
_WORDS = {
    "user": "the users",
    "item": "the items",
    "time": "the times",
    "behaviour": "what was done",
    "title": "the titles",
}
_MOST_LABELS, _MOST_TITLES = 3, 1.5  # label columns; titles an item, above which a column is no title
_MOST_FILTERS, _MOST_CATEGORIES = 5, 200  # columns to filter by; different words in one of them


@dataclass(frozen=True)
class Roles:
    """What the columns of the log and of the catalogue are.

    Args:
        user: Column of the users.
        item: Column of the items.
        time: Column of the times.
        time_format: Where they cannot be read otherwise.
        behaviour: Column of what was done.
        labels: Columns of numbers to learn.
        sequences: Whether a row holds lists.
        catalogue: The file that the items' titles are in.
        catalogue_item: Its column of the items.
        text: Its columns of text.
        tags: Its columns of tags.
        categories: Its columns of few words.
        numbers: Its columns of numbers.
        people: The file that says what is known of the users.
        person: Its column of the users.
        attributes: Its columns of few words.
        amounts: Its columns of numbers.
    """

    user: str
    item: str
    time: str | None = None
    time_format: str | None = None
    behaviour: str | None = None
    labels: tuple[str, ...] = ()
    sequences: bool = False
    catalogue: Look | None = None
    catalogue_item: str = ""
    text: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    people: Look | None = None
    person: str = ""
    attributes: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    def used(self, log: Look) -> tuple[Look, ...]:
        """The files that it names."""
        return tuple(look for look in (log, self.catalogue, self.people) if look is not None)


def the_log(looks: Sequence[Look]) -> Look:
    """The file with users and items, of several the one with most rows."""
    logs = [look for look in looks if look.best("user") and look.best("item")]
    return max(logs or looks[:1], key=lambda look: look.table.count())


def guessed(
    log: Look,
    looks: Sequence[Look],
    given: Mapping[str, str | None],
    labels: Sequence[str] | None = None,
    time_format: str | None = None,
    ask: Ask | None = None,
) -> Roles:
    """The roles of the columns.

    Args:
        log: The log.
        looks: All files.
        given: Columns that were said, by role; "none" for a role that no column has.
        labels: Columns of labels that were said.
        time_format: As it was said.
        ask: Asks a person: a role in words, the columns, the best guess; None where there is nobody.

    Raises:
        RequestError: A column of users or items is not to be found.
        DataError: A column that was said is not there.
    """
    taken: list[str] = []
    chosen: dict[str, str | None] = {}
    for role in ("user", "item", "time", "behaviour"):
        chosen[role] = _chosen(log, role, given.get(role), taken, ask)
        taken += [name for name in (chosen[role],) if name is not None]
    user, item = str(chosen["user"]), str(chosen["item"])
    for name in labels or ():
        log.field(name)
    found = [name for name in log.all("label", taken) if not log.field(name).lists]
    catalogue, catalogue_item = _file_of(log, looks, "item", item)
    free = [catalogue_item] if catalogue is not log else [*taken]
    title = _chosen(catalogue, "title", given.get("title"), free, None)
    if catalogue is log and given.get("title") is None and not _is_title(log, item, title):
        title = None
    tags = catalogue.best("tags", [*free, title or ""]) if catalogue is not log else None
    categories, numbers = _filters(log, catalogue, [*free, title or "", tags or ""])
    people, person = _file_of(log, [look for look in looks if look is not catalogue], "user", user)
    attributes, amounts = _filters(log, people, [person])
    return Roles(
        user,
        item,
        chosen["time"],
        time_format,
        chosen["behaviour"],
        tuple(found[:_MOST_LABELS] if labels is None else labels),
        log.field(item).lists,
        catalogue if title or tags or categories or numbers else None,
        catalogue_item,
        (title,) if title else (),
        (tags,) if tags else (),
        categories,
        numbers,
        people if attributes or amounts else None,
        person,
        attributes,
        amounts,
    )


def _chosen(look: Look, role: str, said: str | None, taken: Sequence[str], ask: Ask | None) -> str | None:
    if said is not None:
        if said == NONE and role not in _REQUIRED:
            return None
        return look.field(said).name
    best = look.best(role, taken)
    names = [field.name for field in look.fields if field.name not in taken]
    if ask is not None:
        while (answer := ask(_WORDS[role], names, best)) not in names:
            if answer == NONE and role not in _REQUIRED:
                return None
        return answer
    if best is None and role in _REQUIRED:
        raise RequestError(
            f"init {look.path}",
            f"a column whose name says that it holds {_WORDS[role]}",
            f"{', '.join(names)[:300]}",
            f"name it: --{role} COLUMN",
        )
    return best


def _file_of(log: Look, looks: Sequence[Look], role: str, column: str) -> tuple[Look, str]:
    """The file with a row for each item or user of the log, and its column of them; else the log itself."""
    for look in looks:
        name = column if column in look.table.schema else look.best(role)
        if look is log or name is None:
            continue
        ids = look.sample[name].drop_nulls()
        known = log.sample[column].explode() if log.field(column).lists else log.sample[column]
        shared = ids.cast(pl.String).is_in(known.cast(pl.String).implode()).any()
        if shared and ids.n_unique() >= 0.98 * len(ids):
            return look, name
    return log, column


def _filters(log: Look, catalogue: Look, taken: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns of few words and of numbers of a file beside the log, by which lists can be filtered."""
    if catalogue is log:
        return (), ()
    free = [field for field in catalogue.fields if field.name not in taken and not field.lists]
    most = min(_MOST_CATEGORIES, len(catalogue.sample) // 2)
    categories = [field.name for field in free if field.kind == "word" and 2 <= field.distinct <= most]
    numbers = [field.name for field in free if field.kind in ("whole", "fraction") and field.distinct >= 2]
    return tuple(categories[:_MOST_FILTERS]), tuple(numbers[:_MOST_FILTERS])


def _is_title(log: Look, item: str, title: str | None) -> bool:
    """Whether a column of the log says the same of an item each time, or nearly so."""
    if title is None or log.field(item).lists:
        return False
    pairs = log.sample.select(item, title).drop_nulls()
    return pairs.n_unique() <= _MOST_TITLES * max(pairs[item].n_unique(), 1)
