"""The section of each task: what its answer offers, in one order, whatever the kind of answer.

Figures of all systems and the differences to the model stand in every section. Slices, what lists are like,
and predicted against observed follow where the evaluation has them.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from intertask.evaluate.results import Evaluation, ScoreRow
from intertask.report import tables
from intertask.report.canvas import Plot
from intertask.report.drawings import Drawings
from intertask.report.figures import by_question, conditions, label, main_metric, model_system, ranked
from intertask.report.markup import details, figure, gallery
from intertask.terminal.markup import tag, theirs

_LISTS = (
    "What the lists are like beside being right: the share of the catalogue that is ever shown (coverage), "
    "how rarely seen the items are (novelty), how unlike each other (diversity), and how much goes to the "
    "most popular items (popularity share). None of these has a best direction."
)


def sections(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    """A section for each task that was scored, in the order of the evaluation."""
    groups = by_question(evaluation.scores)
    found = []
    for task in dict.fromkeys(task for task, _ in groups):
        content: list[Element] = []
        for (own, history), rows in groups.items():
            if own == task:
                content += _question(evaluation, drawings, task, history, rows)
        if content:
            words = tag("p", "Best figure of each column in bold, 95 % bootstrap interval below it.")
            found.append(tag("section", tag("h2", theirs(task)), words, *content, id=f"task-{task}"))
    return found


def _question(
    evaluation: Evaluation, drawings: Drawings, task: str, history: str, rows: Sequence[ScoreRow]
) -> list[Element]:
    """One way to ask a task: how the history was treated, where that matters."""
    key, model, line = (task, history), model_system(evaluation), conditions(evaluation, history or None)
    whole = ranked(rows)
    if not whole:
        return []
    lacking = f"No verdict: {whole[0].too_few}. " if whole[0].too_few else ""
    caption = f"{whole[0].count:,} targets in this table. {lacking}{line}"
    heading = [tag("h3", theirs(task), tag("small", f"history {history}"))] if history else []
    first, *others = tables.cutoffs_of(whole)
    content = [*heading, tables.scores(whole, model, first, caption)]
    more = [tables.scores(whole, model, k, caption) for k in others]
    if more:
        content.append(details(f"At {', '.join(f'k = {k}' for k in others)}", *more))
    content += _differences(evaluation, drawings.forests.get(key, []), task, history, line)
    content += _slices(rows, drawings.slices.get(key, []), model, line, opened=not drawings.drawn)
    content += _lists(evaluation, key, [row.system for row in whole], model, line)
    content += _calibration(whole, drawings.reliability.get(task), line, opened=not drawings.drawn)
    return content + _abstention(whole, drawings.abstention.get(task), line, opened=not drawings.drawn)


def _differences(
    evaluation: Evaluation, forest: Sequence[Plot], task: str, history: str, line: str
) -> list[Element]:
    """The forest plot, the figures it shows beside it, and those of further metrics folded away."""
    compared = [row for row in evaluation.differences if (row.task, row.history) == (task, history)]
    main = main_metric(row.metric for row in compared)
    shown = [row for row in compared if row.metric == main]
    more = [row for row in compared if row.metric != main]
    figures = [figure(plot) for plot in forest]
    content = [tag("div", *figures, tables.differences(shown, line), class_="beside")] if shown else []
    if more:
        content.append(details("Differences at further metrics", tables.differences(more, line)))
    return content


def _slices(
    rows: Sequence[ScoreRow], plots: Sequence[Plot], model: str, line: str, *, opened: bool
) -> list[Element]:
    parts = [row for row in rows if row.slice != "all"]
    if not parts:
        return []
    figures = [tables.slices(parts, model, k, line) for k in tables.cutoffs_of(parts)]
    metric = label(main_metric(name for row in rows for name in row.metrics))
    words = f"{metric} of the model and the two best of the others by slice; lines are 95 % intervals."
    return [
        *([tag("p", words)] if plots else []),
        *gallery(plots, line),
        details("All systems and metrics by slice", *figures, opened=opened),
    ]


def _lists(
    evaluation: Evaluation, key: tuple[str, str], best_first: Sequence[str], model: str, line: str
) -> list[Element]:
    rows = [row for row in evaluation.lists if (row.task, row.history) == key]
    places = {system: place for place, system in enumerate(best_first)}
    rows.sort(key=lambda row: places.get(row.system, len(places)))
    return [tag("p", _LISTS), tables.lists(rows, model, line)] if rows else []


def _calibration(rows: Sequence[ScoreRow], plot: Plot | None, line: str, *, opened: bool) -> list[Element]:
    content = gallery([plot], line) if plot is not None else []
    if any(row.calibration for row in rows):
        content.append(details("Calibration in figures", tables.calibration(rows, line), opened=opened))
    return content


def _abstention(rows: Sequence[ScoreRow], plot: Plot | None, line: str, *, opened: bool) -> list[Element]:
    if not any(row.abstention for row in rows):
        return []
    words = (
        "Where the least certain answers are not given, fewer of the others are wrong; at_least of the task, "
        "or of a request, sets the probability."
    )
    content = [tag("p", words), *(gallery([plot], line) if plot is not None else [])]
    return [*content, details("Abstention in figures", tables.abstention(rows, line), opened=opened)]
