"""A study of transfer between tasks, for the terminal and as a page. Reads the findings and nothing else."""

import math
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from rich import box
from rich.console import RenderableType
from rich.table import Table

from intertask.evaluate.cosines import Cosines, Matrix
from intertask.evaluate.gains import Change, TaskTransfer, Transfer
from intertask.evaluate.reading import Reading
from intertask.report.canvas import available
from intertask.report.figures import MINUS, counted, duration, label, number, signed
from intertask.report.forest import gains
from intertask.report.markup import standing_alone
from intertask.report.plan import plan
from intertask.report.terminal import words
from intertask.terminal.markup import tag, theirs

_COSINES = (
    "Cosines at the weights of input and encoder: below zero two tasks pull them apart. Blank: no batch had "
    "targets of both, as of tasks of different logs; a detached task does not push; or an older version made "
    "the run, which saw nothing where targets stand at different positions."
)
_MARKS = {"gains": "better", "loses": "worse"}
_STYLES = {"gains": "bold green", "loses": "bold red"}


def sentences(found: Transfer) -> list[str]:
    """What was found, in words; the first says most."""
    gains = [task.task for task in found.tasks if task.alone.verdict == "gains"]
    losers = [task.task for task in found.losers]
    parts = [f"{' and '.join(gains)} gain{'s' if len(gains) == 1 else ''}" if gains else "no task gains"]
    lose = (
        f"{' and '.join(losers)} lose{'s' if len(losers) == 1 else ''} ({len(losers)} of {len(found.tasks)})"
    )
    parts.append(lose if losers else f"none of {len(found.tasks)} loses")
    told = [
        f"Trained together, {', '.join(parts)}; the mean change is {_percent(found.mean_percent)}, the worst "
        f"{_percent(found.worst.alone.percent)} ({found.worst.task})."
    ]
    if len(found.seeds) == 1:
        told.append("One seed says nothing of the luck of training: run three, and see whether they agree.")
    for task in found.losers:
        told.append(_advice(task, found.cosines, apart=task.task in found.apart))
        if task.matched.verdict != "loses":
            told[-1] += " Against a model of its own as large as the joint one no loss is shown."
    return told


def _advice(task: TaskTransfer, cosines: Cosines | None, *, apart: bool) -> str:
    """What may be done for a task that loses."""
    if apart:
        return (
            f"{task.task} loses: it is detached, so that nothing is learnt for it but its head; let it take "
            "part (without detached = true), or train it by itself."
        )
    more = "give it more weight, or the model more width."
    compared = {} if cosines is None else cosines.of(task.task)
    if task.opposed_by:
        return (
            f"The gradient of {task.opposed_by} points against that of {task.task}, which loses: "
            f"detach {task.opposed_by} (--detach, or detached = true in its section)."
        )
    if not compared:
        return (
            f"{task.task} loses, and its gradient was compared with no other, since no batch had targets "
            f"of both: {more}"
        )
    if all(math.isinf(error) for _, error in compared.values()):
        return f"{task.task} loses; its gradient was compared with others once, which decides nothing: {more}"
    return f"{task.task} loses, and no gradient points against it: {more}"


def _percent(value: float) -> str:
    return f"{value:+.1f} %".replace("-", MINUS)


def _interval(change: Change) -> str:
    """In percent, as the change beside it."""
    share = 100 / abs(change.alone) if change.alone else 0.0
    return f"{_percent(share * change.interval.low)} to {_percent(share * change.interval.high)}"


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}".replace("-", MINUS)


def cost(found: Transfer) -> str:
    """What training together saves."""
    own = found.cost
    return (
        f"Together {duration(own.seconds_together)} and {own.weights_together:,} weights, one by one "
        f"{duration(own.seconds_alone)} and {own.weights_alone:,}; {counted(len(found.seeds), 'seed')}."
    )


def conditions(found: Transfer) -> str:
    """How it was measured."""
    protocol = found.protocol
    split = protocol.split.replace("_", "-")
    return (
        f"{protocol.part} data · {split} · {' · '.join(protocol.told())} · "
        f"seeds {', '.join(map(str, found.seeds))} · "
        f"commit {found.commit} · protocol {protocol.fingerprint()} · 95 % intervals, paired bootstrap over "
        f"{protocol.unit[1]} and seeds, of one task each; who gains or loses is said by p, corrected by Holm "
        "over the tasks"
        + "".join(
            f" · stream {name}: {', '.join(own.told())}, protocol {own.fingerprint()}"
            for name, own in found.streams.items()
        )
    )


def terminal(found: Transfer) -> Iterator[RenderableType]:
    """Tables and sentences."""
    table = Table(
        title=words(f"{found.recipe}: together against alone"), title_justify="left", box=box.SIMPLE_HEAD
    )
    for name in ("Task", "Metric", "Alone", "Together", "Change", "95 % interval", "p", "As many weights"):
        table.add_column(name, justify="left" if name in ("Task", "Metric") else "right")
    for row in found.tasks:
        table.add_row(
            words(row.task),
            words(label(row.metric)),
            number(row.alone.alone),
            number(row.alone.together),
            words(_percent(row.alone.percent), _STYLES.get(row.alone.verdict, "")),
            _interval(row.alone),
            f"{row.alone.p_value:.3f}",
            words(_percent(row.matched.percent), _STYLES.get(row.matched.verdict, "")),
        )
    yield table
    if found.cosines is not None:
        yield _cosine_table(found.cosines)
    for sentence in (*sentences(found), *plan(found)):
        yield words(sentence)
    if edges := _edges(found):
        yield words(f"Edges that held-out targets do not show to help are closed. {' '.join(edges)}")
    yield words(cost(found))
    yield words(conditions(found), style="dim")


def _cosine_table(cosines: Cosines) -> Table:
    table = Table(title="Cosines between the gradients of tasks", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("", *cosines.tasks):
        table.add_column(words(name), justify="right" if name else "left")
    for name, row in zip(cosines.tasks, cosines.mean, strict=True):
        cells = (
            words(_cosine(value), style="red" if value is not None and value < 0 else "") for value in row
        )
        table.add_row(words(name), *cells)
    return table


def page(found: Transfer) -> str:
    """The report as one HTML text that needs nothing beside it."""
    gains = any(task.alone.verdict == "gains" for task in found.tasks)
    outcome = "lose" if found.losers else "win" if gains else "undecided"
    first, *others = sentences(found)
    verdict = tag(
        "div",
        tag("p", first, class_="says"),
        tag("ul", *(tag("li", theirs(told)) for told in (*others, *plan(found)))),
        class_=f"verdict {outcome}",
    )
    sections = [
        _section("Tasks", [*_plots(found), *_tasks(found.tasks)]),
        _section("Gradients", _gradients(found.cosines)),
        _section("Edges", [*map(_reading, found.readings), *_closed(found)]),
        _section("Cost", [tag("p", cost(found))]),
    ]
    header = tag(
        "header", tag("h1", theirs(found.recipe)), tag("p", theirs(conditions(found)), class_="quiet")
    )
    links = [tag("a", section[0].text, href=f"#{section.get('id')}") for section in sections]
    nav = tag("nav", *links, aria_label="Sections")
    main = tag("main", header, verdict, nav, *sections)
    return standing_alone(f"{found.recipe}: transfer between tasks", main)


def _plots(found: Transfer) -> list[Element]:
    if not available():
        return [tag("p", "There is no plot because matplotlib is not installed.", class_="quiet")]
    plot = gains(found.tasks, conditions(found))
    figure = tag("figure", tag("figcaption", plot.title), plot.svg)
    return [tag("div", figure, class_="gallery")]


def _section(title: str, content: Sequence[Element]) -> Element:
    return tag("section", tag("h2", title), *content, id=title.lower())


def _tasks(tasks: Sequence[TaskTransfer]) -> list[Element]:
    header = ("Task", "Change", "p", "Alone", "Together", "Metric", "Targets", "By seed", "As many weights")
    rows = [
        tag(
            "tr",
            tag("th", theirs(row.task), scope="row"),
            _change(row.alone),
            tag("td", f"{row.alone.p_value:.3f}"),
            tag("td", number(row.alone.alone)),
            tag("td", number(row.alone.together)),
            tag("td", label(row.metric), class_="words"),
            tag("td", f"{row.targets:,}"),
            tag("td", ", ".join(map(signed, row.alone.by_seed)), class_="many"),
            _change(row.matched),
        )
        for row in tasks
    ]
    caption = (
        "Higher is better for every metric, losses are negated. As many weights: against the task alone with "
        "an expert above the encoder that makes its model as large as the joint one."
    )
    return [_table(header, rows, caption)]


def _change(change: Change) -> Element:
    """A change with its interval. Its colour says what was shown, not how large the figure is."""
    shown = tag("span", change.verdict, class_=f"mark {_MARKS.get(change.verdict, 'none')}")
    cell = tag("td", tag("b", _percent(change.percent)), tag("br"), _interval(change), tag("br"), shown)
    cell.set("class", f"change {_MARKS.get(change.verdict, 'none')}")
    return cell


def _gradients(cosines: Cosines | None) -> list[Element]:
    if cosines is None:
        return [tag("p", "No step had targets of two tasks that push on the trunk.")]
    blocks = [("Mean over training", cosines.mean)]
    if len(cosines.by_epoch) > 1:
        blocks += [("First epoch", cosines.by_epoch[0]), ("Last epoch", cosines.by_epoch[-1])]
    return [
        part
        for title, matrix in blocks
        for part in (
            tag("h3", title),
            _table(("", *cosines.tasks), _heat_rows(cosines.tasks, matrix), _COSINES),
        )
    ]


def _heat_rows(tasks: Sequence[str], matrix: Matrix) -> list[Element]:
    rows = []
    for name, values in zip(tasks, matrix, strict=True):
        cells = [tag("td", _cosine(value), style=_heat(value or 0.0)) for value in values]
        rows.append(tag("tr", tag("th", theirs(name), scope="row"), *cells))
    return rows


def _heat(value: float) -> str:
    series = 1 if value >= 0 else 2
    return f"background: color-mix(in srgb, var(--series-{series}) {abs(value) * 60:.0f}%, transparent)"


def _reading(reading: Reading) -> Element:
    rows = []
    for name, values, gate in zip(reading.readers, reading.shares, reading.gates, strict=True):
        cells = [tag("td", f"{value:.2f}", style=_heat(value)) for value in values]
        rows.append(tag("tr", tag("th", theirs(name), scope="row"), *cells, tag("td", f"{gate:.2f}")))
    caption = (
        "Shares of what a task attends to after a user's last event, and how far its output gate is open."
    )
    return _table(("", *reading.sources, "gate"), rows, caption)


def _closed(found: Transfer) -> list[Element]:
    rule = "An edge is closed where held-out targets do not show that it helps. Of the first seed:"
    return [tag("p", told) for told in [rule, *(_edges(found) or ["No edge between tasks was closed."])]]


def _edges(found: Transfer) -> list[str]:
    return [f"{reader} no longer reads {', '.join(own)}." for reader, own in found.closed_edges.items()]


def _table(header: Sequence[str], rows: Sequence[Element], caption: str) -> Element:
    left = ("Task", "Metric")
    cells = [tag("th", name, scope="col", **({"class_": "words"} if name in left else {})) for name in header]
    table = tag(
        "table", tag("caption", tag("span", caption)), tag("thead", tag("tr", *cells)), tag("tbody", *rows)
    )
    return tag("div", table, class_="scroll", tabindex="0")
