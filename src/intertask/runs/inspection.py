"""What the data of a recipe hold, and whether the recipe fits them: `intertask data`, as values to print."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from intertask.answers.value import Value
from intertask.data import seam
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.people import People
from intertask.data.prepare import CORPUS, prepare
from intertask.data.refusals import Refusals
from intertask.data.rows import Rows
from intertask.datasets import Loaded
from intertask.errors import IntertaskError
from intertask.fitting.experiment import refuse_unfit
from intertask.model import refuse_misfits
from intertask.recipe import MAIN, Recipe, source
from intertask.recipe.data_section import DataConfig, refuse_mixed
from intertask.samples.corpus import CORPUS as OF_ROWS
from intertask.samples.corpus import RowCorpus
from intertask.samples.facts import Facts, row_task
from intertask.samples.oddities import oddities
from intertask.storage.files import written_aside

MOST_CLASSES = 12  # that are counted one by one


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Args:
        counts: What the log holds, under the names of the JSON that `intertask data --json` prints.
        misfit: Why training would refuse the recipe; None where it would not.
    """

    counts: Mapping[str, object]
    misfit: IntertaskError | None = None


def inspect(
    sections: Mapping[str, DataConfig],
    beside: Path,
    shown: str = MAIN,
    *,
    recipe: Recipe | None = None,
    out: Path | None = None,
    refused: Path | None = None,
    overwrite: bool = False,
    strict: bool = False,
) -> Inspection:
    """Read and prepare data, count what one stream holds, and check all against their recipe.

    Args:
        sections: Where each log is, by the name of its stream.
        beside: The folder at which relative paths start.
        shown: The log that is counted and written.
        recipe: What the logs must fit; None for a data set alone.
        out: A folder for the prepared sequences; it is written only if the recipe fits.
        refused: A file for the refused rows.
        overwrite: Replace that file, whoever has written it.
        strict: Refuse a log for a single bad row.

    Raises:
        DataError: A log cannot be used, or has bad rows and `strict` is set.
        RecipeError: The recipe contradicts itself.
        IntertaskError: A place cannot be written to, or holds something else.
    """
    views = {} if recipe is None else recipe.views()
    for view in views.values():
        refuse_mixed(view)
        refuse_misfits(view)
    read = {name: _read(section, beside, views.get(name)) for name, section in sections.items()}
    own = read[shown]
    if refused is not None:
        own.reports[0].write(refused, overwrite=overwrite)
    for report in own.reports:
        report.check(strict)
    counts = None
    notes = [note for report in own.reports for note in report.notes]
    try:
        with ExitStack() as stack:
            aside = None if out is None else stack.enter_context(written_aside(out, own.contents.refuse))
            corpora = {name: each.prepare(aside if name == shown else None) for name, each in read.items()}
            counts = own.counts(corpora[shown])
            if recipe is not None:
                notes.extend(refuse_unfit(recipe, corpora))
                notes.extend(_odd(views[shown], corpora[shown]))
    except IntertaskError as error:
        if counts is None:
            raise
        return Inspection(counts | {"notes": notes}, error)
    return Inspection(counts | {"notes": notes})


def _odd(recipe: Recipe, corpus: seam.Corpus) -> tuple[str, ...]:
    """What columns, labels and parts of rows have that a reader should know."""
    if not isinstance(corpus, RowCorpus):
        return ()
    split = recipe.split_rows(corpus.rows)
    return oddities(recipe, corpus.rows, split, Facts.fit(recipe, corpus.rows.take(split.train)))


def _read(section: DataConfig, beside: Path, recipe: Recipe | None) -> "_Log | _Rows":
    if section.has_rows:
        return _Rows(source.load_rows(section, beside), recipe)
    return _Log(source.load(section, beside), recipe)


class _Log:
    """A log that has been read."""

    contents = CORPUS

    def __init__(self, loaded: Loaded, recipe: Recipe | None) -> None:
        self.events, self.people = loaded.events, loaded.people
        self.reports = [
            loaded.events.report,
            *(own.report for own in (loaded.catalogue, loaded.people) if own is not None),
        ]
        # A model reads them only where its recipe says so.
        reads_items = recipe is not None and recipe.items.reads_catalogue
        reads_people = recipe is not None and bool(recipe.inputs_of_people)
        self.read = (loaded.catalogue if reads_items else None, loaded.people if reads_people else None)

    def prepare(self, folder: Path | None) -> Corpus:
        return prepare(self.events, folder, *self.read)

    def counts(self, corpus: seam.Corpus) -> dict[str, object]:
        assert isinstance(corpus, Corpus)
        counts = _counts(corpus, self.events, self.reports)
        return counts if self.people is None else counts | _known(self.people, corpus.users.ids)


class _Rows:
    """Rows that have been read."""

    contents = OF_ROWS

    def __init__(self, rows: Rows, recipe: Recipe | None) -> None:
        self.rows = rows
        self.reports = [rows.report]
        tasks = {} if recipe is None else recipe.tasks
        self.amounts = {
            row_task(task).label or name for name, task in tasks.items() if isinstance(task.answer, Value)
        }

    def prepare(self, folder: Path | None) -> RowCorpus:
        corpus = RowCorpus(self.rows)
        if folder is not None:
            corpus.write(folder)
        return corpus

    def counts(self, corpus: seam.Corpus) -> dict[str, object]:
        rows = self.rows
        labels = {
            name: _spread(rows.labels[name]) if name in self.amounts else _most_frequent(rows.labels[name])
            for name in rows.labels.columns
        }
        return {
            "rows": len(rows),
            "categories": list(rows.categories),
            "numbers": list(rows.numbers),
            "missing values": int(rows.inputs.null_count().sum_horizontal().item()),
            "labels": labels,
            **{f"{name}s": rows.roles[name].n_unique() for name in rows.roles.columns if name != "weight"},
            "duplicate rows": rows.report.repeated,
            "reading": [report.summary() for report in self.reports],
        }


def _most_frequent(label: pl.Series) -> dict[str, int]:
    """Rows of each class, the most frequent ones first."""
    counts = label.explode().drop_nulls().value_counts(sort=True, name="count").head(MOST_CLASSES)
    return {str(name): int(count) for name, count in counts.iter_rows()}


def _spread(label: pl.Series) -> dict[str, float | int]:
    """Where the numbers of a label lie."""
    numbers = label.cast(pl.Float64, strict=False).drop_nulls().to_numpy()
    if not len(numbers):
        return {"values": 0}
    least, middle, greatest = (float(one) for one in np.quantile(numbers, (0.0, 0.5, 1.0)))
    return {"values": len(numbers), "least": least, "median": middle, "greatest": greatest}


def _known(people: People, users: pl.Series) -> dict[str, object]:
    """What is known of the users of a log."""
    theirs = people.of(users).inputs
    nothing = int(theirs.select(pl.all_horizontal(pl.all().is_null())).to_series().sum())
    return {
        "users with attributes": len(users) - nothing,
        "attributes": dict(people.columns),
        "attributes missing": {name: int(theirs[name].null_count()) for name in theirs.columns},
    }


def _counts(corpus: Corpus, events: EventLog, reports: Sequence[Refusals]) -> dict[str, object]:
    sequences = corpus.sequences
    by_code = np.bincount(sequences.behaviours, minlength=len(corpus.behaviours)).tolist()
    first, last = (None, None) if events.span is None else events.span
    return {
        "users": len(corpus.users),
        "items": len(corpus.items),
        "events": sequences.num_events,
        "behaviours": dict(zip(corpus.behaviours, by_code, strict=True)),
        "events a user, median": float(np.median(sequences.lengths)),
        "clock": sequences.times is not None,
        "first time": None if first is None else first.isoformat(sep=" "),
        "last time": None if last is None else last.isoformat(sep=" "),
        "duplicate rows": events.report.repeated,
        "labels": sorted(sequences.labels),
        "reading": [report.summary() for report in reports],
    }
