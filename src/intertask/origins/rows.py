"""Rows of a table, which become a predictor."""

import warnings
from pathlib import Path
from typing import ClassVar

from intertask.data.rows import Rows
from intertask.data.seam import Corpus, Split
from intertask.fitting.fitted import Fitted, on_rows
from intertask.predictor import Predictor
from intertask.recipe import Recipe, source
from intertask.samples.corpus import CORPUS, RowCorpus
from intertask.samples.facts import Facts
from intertask.samples.oddities import oddities
from intertask.storage.files import Contents


class RowsOrigin:
    """The rows that a recipe names.

    Args:
        recipe: Of one stream.
        beside: The recipe's folder, at which relative paths start.

    Raises:
        RecipeError: The recipe names no rows.
        DataError: They cannot be had, or cannot be used.
    """

    contents: ClassVar[Contents] = CORPUS

    def __init__(self, recipe: Recipe, beside: Path) -> None:
        self.recipe = recipe
        self.rows: Rows | None = source.load_rows(recipe.data, beside)

    @staticmethod
    def open(folder: Path) -> RowCorpus:
        """The rows in a folder."""
        return RowCorpus.open(folder)

    def prepare(self, folder: Path | None = None) -> RowCorpus:
        """The rows, written into the folder if one is given."""
        assert self.rows is not None
        corpus = RowCorpus(self.rows)
        if folder is not None:
            corpus.write(folder)
        return corpus

    def account(self, folder: Path) -> None:
        """Say what was refused, and what columns, labels and split have that a reader should know."""
        rows, self.rows = self.rows, None
        assert rows is not None
        report = rows.report
        if report.refused:
            report.write(folder / "refused.parquet")
            warnings.warn(f"{report.summary()}; see {folder / 'refused.parquet'}", stacklevel=2)
        split = self.recipe.split_rows(rows)
        facts = Facts.fit(self.recipe, rows.take(split.train))
        for note in (*report.notes, *oddities(self.recipe, rows, split, facts)):
            warnings.warn(f"{report.source}: {note}", stacklevel=2)

    def save(self, fitted: Fitted[Corpus, Split], folder: Path) -> None:
        """Write the predictor."""
        Predictor.trained(self.recipe, on_rows(fitted)).save(folder)
