"""The tables of an evaluation for the terminal, from 80 columns upwards. Knows nothing of pages and plots."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from intertask.evaluate.results import Evaluation, ScoreRow
from intertask.report.figures import (
    answered,
    arrow,
    best,
    by_question,
    conditions,
    cutoffs,
    interval,
    label,
    main_metric,
    model_system,
    number,
    ordered,
    ranked,
    shown_systems,
    slice_kind,
    split,
)
from intertask.report.verdict import headline, verdicts
from intertask.terminal.printable import printable

_WIDE = 100  # columns from which every figure carries its interval; below, only the main metric does
_SEVERITIES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_STYLES = {"win": "bold green", "lose": "bold red", "undecided": "bold yellow", "unknown": "bold"}


def show(evaluation: Evaluation, console: Console) -> None:
    """Print verdict and tables of an evaluation, as wide as the console."""
    for part in parts(evaluation, console.width):
        console.print(part)


def parts(evaluation: Evaluation, width: int = 80) -> Iterator[RenderableType]:
    """What `show` prints, in order: tables by task, verdicts, conditions, findings, notes."""
    model = model_system(evaluation)
    for (task, history), rows in by_question(evaluation.scores).items():
        if any(row.slice == "all" for row in rows):
            yield _scores(ranked(rows), f"{task}, history {history}" if history else task, model, width)
        if any(row.slice != "all" for row in rows):
            yield _slices(rows, f"{task} by slice", model)
    yield from _verdicts(evaluation)
    yield words(conditions(evaluation), style="dim")
    if evaluation.findings or evaluation.notes:
        yield _told(evaluation)


def _told(evaluation: Evaluation) -> Table:
    """What the leakage linter found, and the notes of the evaluation itself."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in evaluation.findings:
        said = words(finding.text).append(f" {printable(finding.advice)}", style="dim")
        table.add_row(words(finding.severity, _SEVERITIES[finding.severity]), said)
    for note in evaluation.notes:
        table.add_row(Text("note", style="dim"), words(note, style="dim"))
    return table


def _verdicts(evaluation: Evaluation) -> Iterator[Text]:
    found = verdicts(evaluation.differences)
    whole = headline(found)
    yield words(whole.sentence, style=_STYLES[whole.outcome])
    if len(found) > 1:
        for verdict in found:
            history = f", history {verdict.history}" if verdict.history else ""
            question = words(f"  {verdict.task}{history}: ", _STYLES[verdict.outcome])
            yield question.append(printable(verdict.sentence), style="none")


def _scores(rows: Sequence[ScoreRow], title: str, model: str, width: int) -> Table:
    """Systems by metrics at the main cut-off; the report holds the other cut-offs."""
    names = {name for row in rows for name in row.metrics}
    k = cutoffs(names)[0]
    metrics = [name for name in ordered(names) if split(name)[1] == k]
    main, lacking = main_metric(metrics), rows[0].too_few
    with_intervals = {name for name in metrics if width >= _WIDE or name == main}
    leading = {} if lacking else _leading(metrics, [row.metrics for row in rows])
    cut = f", k = {k}" if k is not None else ""
    told = f": {lacking}" if lacking else ""
    table = _table(f"{title}, {rows[0].count:,} targets{cut}{told}", "System")
    for name in metrics:
        heading = label(name).partition("@")[0] + arrow(name, metrics)
        table.add_column(words(heading), justify="right", no_wrap=k is not None)
    for row in rows:
        cells = [_figure(row, name, leading, name in with_intervals, width >= _WIDE) for name in metrics]
        table.add_row(_name(row.system, model), *cells)
    return table


def _figure(row: ScoreRow, name: str, leading: dict[str, str], with_interval: bool, stacked: bool) -> Text:
    text = answered(row, name)
    figure = words(text, style="bold" if text and leading.get(name) == text else "")
    if with_interval and name in row.intervals and text == number(row.metrics[name]):
        figure.append(("\n" if stacked else "  ") + interval(row.intervals[name]), style="not bold dim")
    return figure


def _slices(rows: Sequence[ScoreRow], title: str, model: str) -> Table:
    """The main metric of the model and the two best baselines on each slice."""
    metric = main_metric(name for row in rows for name in row.metrics)
    systems = shown_systems(rows, model)
    parts = [row for row in rows if row.slice != "all"]
    table = _table(f"{title}, {label(metric)}", "Slice")
    table.add_column("Targets", justify="right", no_wrap=True)
    for system in systems:
        table.add_column(_name(system, model), justify="right", overflow="fold")
    for name in dict.fromkeys(row.slice for row in parts):
        within = {row.system: row for row in parts if row.slice == name}
        own = [within[system] for system in systems if system in within]
        leading = {} if any(row.too_few for row in own) else _leading([metric], [row.metrics for row in own])
        cells = [
            _figure(within[system], metric, leading, False, False) if system in within else Text("")
            for system in systems
        ]
        count = next(iter(within.values())).count
        table.add_row(Text(": ".join(slice_kind(name))), f"{count:,}", *cells)
    return table


def _leading(metrics: Sequence[str], rows: Sequence[dict[str, float]]) -> dict[str, str]:
    columns = {name: [row[name] for row in rows if name in row] for name in metrics}
    return {name: number(best(name, values)) for name, values in columns.items() if len(values) > 1}


def _table(title: str, first: str) -> Table:
    table = Table(title=words(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=12)
    return table


def words(text: str, style: str = "") -> Text:
    """A user's words: square brackets in them are no markup, and what cannot be printed is written out."""
    return Text(printable(text), style=style)


def _name(system: str, model: str) -> Text:
    return words(system, style="cyan" if system == model else "")
