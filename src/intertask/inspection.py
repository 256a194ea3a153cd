"""What the logs of a recipe hold, and whether the recipe fits them: `intertask data`, as values to print."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intertask import source
from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.prepare import CORPUS, prepare
from intertask.data.refusals import Refusals
from intertask.data_section import DataConfig, refuse_mixed
from intertask.errors import IntertaskError
from intertask.experiment import refuse_unfit
from intertask.files import written_aside
from intertask.model import refuse_misfits
from intertask.recipe import MAIN, Recipe


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
    """Read and prepare logs, count what one of them holds, and check all against their recipe.

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
    for view in () if recipe is None else recipe.views().values():
        refuse_mixed(view)
        refuse_misfits(view)
    logs = {name: source.load(section, beside) for name, section in sections.items()}
    events, catalogue = logs[shown].events, logs[shown].catalogue
    reports = [events.report] if catalogue is None else [events.report, catalogue.report]
    if refused is not None:
        events.report.write(refused, overwrite=overwrite)
    for report in reports:
        report.check(strict)
    counts = None
    notes = [note for report in reports for note in report.notes]
    try:
        with ExitStack() as stack:
            aside = None if out is None else stack.enter_context(written_aside(out, CORPUS.refuse))
            corpora = {
                name: prepare(log.events, aside if name == shown else None) for name, log in logs.items()
            }
            counts = _counts(corpora[shown], events, reports)
            if recipe is not None:
                notes.extend(refuse_unfit(recipe, corpora))
    except IntertaskError as error:
        if counts is None:
            raise
        return Inspection(counts | {"notes": notes}, error)
    return Inspection(counts | {"notes": notes})


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
