"""A log and its catalogue, which become a recommender."""

import warnings
from pathlib import Path
from typing import ClassVar

import polars as pl

from intertask.data.corpus import Corpus as Log
from intertask.data.event_log import EventLog
from intertask.data.prepare import CORPUS, open_corpus, prepare
from intertask.data.seam import Corpus, Split
from intertask.fitting.fitted import Fitted, on_log
from intertask.recipe import Recipe, source
from intertask.recommender import Recommender
from intertask.storage.files import Contents


class LogOrigin:
    """The log that a recipe names.

    Args:
        recipe: Of one stream.
        beside: The recipe's folder, at which relative paths start.

    Raises:
        RecipeError: The recipe names no log.
        DataError: The log cannot be had, or cannot be used.
    """

    contents: ClassVar[Contents] = CORPUS

    def __init__(self, recipe: Recipe, beside: Path) -> None:
        loaded = source.load(recipe.data, beside)
        self.recipe, self.catalogue = recipe, loaded.catalogue
        self.people = loaded.people if recipe.inputs_of_people else None
        self.events: EventLog | None = loaded.events

    @staticmethod
    def open(folder: Path) -> Log:
        """The corpus in a folder, mapped."""
        return open_corpus(folder)

    def prepare(self, folder: Path | None = None) -> Log:
        """The corpus, mapped from the folder if one is given."""
        assert self.events is not None
        read = self.catalogue if self.recipe.items.reads_catalogue else None
        return prepare(self.events, folder, read, self.people)

    def account(self, folder: Path) -> None:
        """Say what was refused, and what the catalogue lacks; the log does not stay in memory.

        The refused rows stand in the run's folder.
        """
        events, catalogue, self.events = self.events, self.catalogue, None
        assert events is not None
        if events.report.refused:
            events.report.write(folder / "refused.parquet")
            warnings.warn(f"{events.report.summary()}; see {folder / 'refused.parquet'}", stacklevel=2)
        for note in events.report.notes:
            warnings.warn(f"{events.report.source}: {note}", stacklevel=2)
        if catalogue is not None:
            items = events.frame["item"].unique()
            if missing := _lacking(items, catalogue.frame["item"]):
                warnings.warn(
                    f"the catalogue lacks {missing:,} of {len(items):,} items of the log: known by id alone",
                    stacklevel=2,
                )
        if self.people is not None:
            users, report = events.frame["user"].unique(), self.people.report
            if report.refused:
                warnings.warn(report.summary(), stacklevel=2)
            for note in report.notes:
                warnings.warn(f"{report.source}: {note}", stacklevel=2)
            if missing := _lacking(users, self.people.ids):
                warnings.warn(
                    f"{report.source} lacks {missing:,} of {len(users):,} users of the log: known by their "
                    "events alone",
                    stacklevel=2,
                )

    def save(self, fitted: Fitted[Corpus, Split], folder: Path) -> None:
        """Write the recommender."""
        Recommender.trained(self.recipe, on_log(fitted), self.catalogue).save(folder)


def _lacking(ids: pl.Series, listed: pl.Series) -> int:
    """How many ids are not listed."""
    return int((~ids.cast(pl.String).is_in(listed.cast(pl.String).implode())).sum())
