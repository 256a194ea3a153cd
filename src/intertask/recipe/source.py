"""The data that a recipe names: a known data set, or files beside the recipe."""

from dataclasses import replace
from pathlib import Path

from intertask.data import series
from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.data.fetch import cache
from intertask.data.people import People
from intertask.data.rows import Rows
from intertask.datasets import DatasetConfig, Loaded, RowsDatasetConfig
from intertask.errors import RecipeError
from intertask.options.seeds import generator
from intertask.recipe.data_section import DataConfig, PeopleFile


def load(data: DataConfig, beside: Path) -> Loaded:
    """The log and the catalogue.

    Args:
        data: The recipe's section.
        beside: The recipe's folder, at which relative paths start.

    Raises:
        RecipeError: The section names no data.
        DataError: The data cannot be had, or cannot be used.
    """
    loaded = _whole(data, beside)
    return loaded if data.users is None else replace(loaded, events=_of_some(loaded.events, data.users))


def _of_some(events: EventLog, num_users: int) -> EventLog:
    """The events of some users, drawn from all."""
    codes = events.coded["user"].to_physical()
    everyone = codes.unique(maintain_order=True)
    drawn = generator(0, "users").permutation(len(everyone))[:num_users]
    return replace(events, coded=events.coded.filter(codes.is_in(everyone.gather(drawn).implode())))


def _whole(data: DataConfig, beside: Path) -> Loaded:
    if isinstance(data.dataset, DatasetConfig):
        return data.dataset.load(cache())
    if data.events is None:
        raise RecipeError(
            "[data]", "dataset = ..., or a table [data.events] with a path", "neither", "say where the log is"
        )
    log = data.events
    events = EventLog.read(
        beside / log.path,
        user=log.user,
        item=log.item,
        time=log.time,
        order=log.order,
        behaviour=log.behaviour,
        labels=log.labels,
        time_format=log.time_format,
        missing=log.missing,
        duplicates=log.duplicates,
        separator=log.separator,
        encoding=log.encoding,
        sequences=log.sequences,
        strict=log.strict,
    )
    catalogue = None
    if data.catalogue is not None:
        what = data.catalogue
        catalogue = Catalogue.read(
            beside / what.path,
            item=what.item,
            text=what.text,
            tags=what.tags,
            tag_separator=what.tag_separator,
            categories=what.categories,
            numbers=what.numbers,
            vectors=what.vectors,
            missing=what.missing,
            separator=what.separator,
            encoding=what.encoding,
            strict=what.strict,
        )
    return Loaded(events, catalogue, None if data.people is None else _people(data.people, beside))


def _people(known: PeopleFile, beside: Path) -> People:
    return People.read(
        beside / known.path,
        user=known.user,
        categories=known.categories,
        numbers=known.numbers,
        missing=known.missing,
        separator=known.separator,
        encoding=known.encoding,
        strict=known.strict,
    )


def load_rows(data: DataConfig, beside: Path) -> Rows:
    """The rows of a table.

    Args:
        data: The recipe's section.
        beside: The recipe's folder, at which relative paths start.

    Raises:
        RecipeError: The section names no rows.
        DataError: They cannot be had, or cannot be used.
    """
    if isinstance(data.dataset, RowsDatasetConfig):
        return data.dataset.load(cache())
    if data.series is not None:
        return series.read(beside / data.series.path, data.series)
    if data.rows is None:
        raise RecipeError(
            "[data]", "dataset = ..., or a table [data.rows] with a path", "neither", "say where the rows are"
        )
    what = data.rows
    return Rows.read(
        beside / what.path,
        labels=what.labels,
        categories=what.categories,
        numbers=what.numbers,
        files=what.files,
        texts=what.texts,
        several=what.several,
        label_separator=what.label_separator,
        group=what.group,
        time=what.time,
        part=what.part,
        weight=what.weight,
        time_format=what.time_format,
        missing=what.missing,
        separator=what.separator,
        encoding=what.encoding,
        strict=what.strict,
    )
