"""Runs against the first of them, for the terminal, within 80 columns. Reads the comparison and no files."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from intertask.evaluate.compare import ComparedRow, Comparison
from intertask.evaluate.sufficiency import NO_DIFFERENCE, NOT_JUDGED
from intertask.metrics.direction import MAIN_METRIC
from intertask.report.figures import MINUS, label, number, signed, signed_interval
from intertask.report.terminal import words

_SHORT = {
    "first is better": "worse",
    "first is worse": "better",
    NO_DIFFERENCE: "open",
    NOT_JUDGED: "too few",
}
_STYLES = {"worse": "bold red", "better": "bold green"}


def parts(found: Comparison, metrics: Sequence[str] = (MAIN_METRIC,)) -> Iterator[RenderableType]:
    """A table for each task, history and metric, and how they were measured.

    Args:
        found: What was compared.
        metrics: Of rankings; with the main one the responses are shown as well.
    """
    shown = list({id(row): row for metric in metrics for row in found.of(metric)}.values())
    questions = dict.fromkeys((row.task, row.history, row.metric) for row in shown)
    for question in sorted(questions, key=lambda key: (key[1] == "", list(questions).index(key))):
        rows = [row for row in shown if (row.task, row.history, row.metric) == question]
        yield _table(found.runs[0], rows)
        for reason in dict.fromkeys(row.too_few for row in rows if row.too_few):
            yield words(f"No verdict: {reason}.", "yellow")
    names = (found.first, *found.others)
    yield from (words(f"{run}: {name}", "dim") for run, name in zip(found.runs, names, strict=True))
    over = f"95 % interval, paired bootstrap over {found.protocol.unit[1]}"
    told = f"Difference: {found.runs[0]} {MINUS} the other, {over}."
    many = " p is corrected by Holm over runs and tasks." if len(shown) > 1 else ""
    yield words(f"{told}{many} Protocol {found.protocol.fingerprint()}.", "dim")


def _table(first: str, rows: Sequence[ComparedRow]) -> Table:
    history = f", history {rows[0].history}" if rows[0].history else ""
    title = f"{rows[0].task}{history}, {rows[0].targets:,} targets"
    table = Table(title=words(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Run", overflow="fold", min_width=10)
    name = label(rows[0].metric)
    whole = [number(value) for row in rows for value in (row.first, row.second)] + name.split()
    table.add_column(words(name), justify="right", min_width=max(map(len, whole)))
    for name in ("Difference", "95 % interval", "p"):
        table.add_column(words(name), justify="right", no_wrap=True)
    table.add_column("Run is")
    table.add_row(words(first), number(rows[0].first), "", "", "", Text("first", style="dim"))
    for row in rows:
        verdict = _SHORT.get(row.verdict, row.verdict)
        table.add_row(
            words(row.run),
            number(row.second),
            signed(row.difference),
            signed_interval(row.interval),
            f"{row.p_value:.3f}",
            Text(verdict, style=_STYLES.get(verdict, "")),
        )
    return table
