"""The tables of a report as HTML. Everything measured is in one of them, plots or no plots."""

from collections.abc import Collection, Mapping, Sequence
from xml.etree.ElementTree import Element

from intertask.evaluate.protocol import Protocol
from intertask.evaluate.results import (
    DifferenceRow,
    Interval,
    ListRow,
    Provenance,
    ScoreRow,
    TradeoffRow,
)
from intertask.report.figures import (
    MINUS,
    answered,
    arrow,
    best,
    cutoffs,
    duration,
    interval,
    label,
    number,
    ordered,
    signed,
    signed_interval,
    slice_kind,
    split,
)
from intertask.report.journal import Journal
from intertask.terminal.markup import tag, theirs


def conditions(protocol: Protocol, provenance: Provenance) -> Element:
    """Everything about how the figures were measured and where they come from."""
    measured = [
        ("Data (SHA-256)", protocol.data),
        ("Split", protocol.split.replace("_", "-")),
        ("Part", protocol.part),
        *protocol.conditions(),
        ("Fingerprint of these", protocol.fingerprint()),
    ]
    origin = [
        ("Seed", str(provenance.seed)),
        ("Commit", provenance.commit),
        ("Version", provenance.version),
        ("Command", provenance.command),
        ("Date", provenance.date),
        ("Machine", provenance.machine),
    ]
    return tag("div", _pairs("Protocol", measured), _pairs("Provenance", origin), class_="pairs")


def scores(rows: Sequence[ScoreRow], model: str, k: int | None, caption: str) -> Element:
    """Systems as rows, the metrics at one cut-off as columns, intervals below the figures.

    Arrows say which way is better where that differs; nothing is bold where there is too little to judge by.
    """
    metrics = _at(k, rows)
    lacking = any(row.too_few for row in rows)
    leading = {} if lacking else _leading(metrics, [row.metrics for row in rows])
    body = [_row(row.system, row.system == model, _figures(row, metrics, leading)) for row in rows]
    return _table(["System", *(label(name) + arrow(name, metrics) for name in metrics)], body, caption)


def differences(rows: Sequence[DifferenceRow], caption: str) -> Element:
    """Model minus each baseline, with the interval and what it shows; the metric where it varies."""
    metrics = {row.metric for row in rows}
    header = [
        "Baseline",
        *(["Metric"] if len(metrics) > 1 else []),
        f"Model {MINUS} baseline",
        "95 % interval",
        "The model is",
    ]
    body = [
        tag(
            "tr",
            tag("th", theirs(row.baseline), scope="row"),
            tag("td", label(row.metric), class_="words") if len(metrics) > 1 else None,
            tag("td", signed(row.difference)),
            tag("td", signed_interval(row.interval)),
            tag("td", tag("span", row.verdict, class_=f"mark {row.verdict.split()[0]}"), class_="words"),
        )
        for row in sorted(rows, key=lambda row: (row.metric, row.difference))
    ]
    if len(metrics) == 1:
        caption = f"{label(rows[0].metric)}. {caption}"
    return _table(
        header,
        body,
        caption,
        words={header.index(name) for name in header if name in {"Metric", "The model is"}},
    )


def slices(rows: Sequence[ScoreRow], model: str, k: int | None, caption: str) -> Element:
    """Every slice with every system, and the metrics at one cut-off."""
    metrics = _at(k, rows)
    body = []
    for name in dict.fromkeys(row.slice for row in rows):
        within = [row for row in rows if row.slice == name]
        lacking = any(row.too_few for row in within)
        leading = {} if lacking else _leading(metrics, [row.metrics for row in within])
        title = f"{slice_kind(name)[0]}: {slice_kind(name)[1]} ({within[0].count:,} targets)"
        body.append(
            tag(
                "tr",
                tag("th", tag("span", title), scope="colgroup", colspan=str(len(metrics) + 1)),
                class_="group",
            )
        )
        body += [_row(row.system, row.system == model, _figures(row, metrics, leading)) for row in within]
    return _table(["System", *(label(name) + arrow(name, metrics) for name in metrics)], body, caption)


def lists(rows: Sequence[ListRow], model: str, caption: str) -> Element:
    """What the lists of each system are like. Nothing is bold: more is not always better."""
    metrics = ordered(name for row in rows for name in row.metrics)
    body = [
        _row(row.system, row.system == model, [_cell(row.metrics, {}, name, {}) for name in metrics])
        for row in rows
    ]
    return _table(["System", *map(label, metrics)], body, caption)


def calibration(rows: Sequence[ScoreRow], caption: str) -> Element:
    """Predicted against observed, bin by bin."""
    body = [
        _row(row.system, False, [tag("td", text) for text in figures])
        for row in rows
        for place in row.calibration
        for figures in [(number(place.predicted), number(place.observed), f"{place.count:,}")]
    ]
    return _table(["System", "Predicted", "Observed", "Targets"], body, caption)


def abstention(rows: Sequence[ScoreRow], caption: str) -> Element:
    """What is wrong among the most certain answers, share by share."""
    body = [
        _row(row.system, False, [tag("td", number(own)) for own in (at.coverage, at.risk, at.at_least)])
        for row in rows
        for at in row.abstention
    ]
    return _table(["System", "Coverage", "Wrong of these", "Probability at least"], body, caption)


def tradeoff(rows: Sequence[TradeoffRow], caption: str) -> Element:
    """What each mixture of two tasks gives to both."""
    first, second = rows[0].first, rows[0].second
    body = [
        _row(
            f"{row.weight:g} : {1 - row.weight:g}",
            False,
            [tag("td", number(row.ndcg[name])) for name in (first, second)],
        )
        for row in rows
    ]
    header = [f"{first} : {second}", f"{first}, NDCG@10", f"{second}, NDCG@10"]
    return _table(header, body, caption)


def seconds(times: Mapping[str, float], journal: Journal) -> Element:
    """How long each system took, and what training spent its time on."""
    shown = [(name, duration(value)) for name, value in times.items()]
    if journal.steps:
        shown += [
            (
                "training, steps alone",
                f"{duration(journal.training_seconds)} for {len(journal.steps):,} updates",
            ),
            ("training, speed", f"{journal.tokens_per_second:,.0f} positions/s"),
        ]
    if journal.validations:
        spent = f"{duration(journal.validation_seconds)} for {len(journal.validations):,} epochs"
        shown.append(("training, validation", spent))
    return tag("div", _pairs("What took how long", shown), class_="pairs")


def epochs(journal: Journal, best_epoch: int | None, caption: str) -> Element:
    """The validation metrics after every epoch."""
    metrics = list(dict.fromkeys(name for at in journal.validations for name in at.metrics))
    body = [
        _row(str(at.epoch), at.epoch == best_epoch, [_cell(at.metrics, {}, name, {}) for name in metrics])
        for at in journal.validations
    ]
    return _table(["Epoch", *metrics], body, caption)


def _at(k: int | None, rows: Sequence[ScoreRow]) -> list[str]:
    return [name for name in ordered(name for row in rows for name in row.metrics) if split(name)[1] == k]


def _leading(metrics: Sequence[str], rows: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """The best figure of each column as it is written: what reads the same is equally bold."""
    columns = {name: [row[name] for row in rows if name in row] for name in metrics}
    return {name: number(best(name, values)) for name, values in columns.items() if len(values) > 1}


def _cell(
    metrics: Mapping[str, float], intervals: Mapping[str, Interval], name: str, leading: Mapping[str, str]
) -> Element:
    if name not in metrics:
        return tag("td", tag("span", "not measured", class_="sub"))
    text = number(metrics[name])
    below = tag("span", interval(intervals[name]), class_="sub") if name in intervals else None
    return tag("td", tag("b", text) if leading.get(name) == text else text, below)


def _figures(row: ScoreRow, metrics: Sequence[str], leading: Mapping[str, str]) -> list[Element]:
    cells = []
    for name in metrics:
        if row.too_few and answered(row, name) != number(row.metrics.get(name, 0.0)) and name in row.metrics:
            cells.append(tag("td", tag("span", answered(row, name), class_="sub")))
        else:
            cells.append(_cell(row.metrics, row.intervals, name, leading))
    return cells


def _row(name: str, highlighted: bool, cells: Sequence[Element]) -> Element:
    row = tag("tr", tag("th", theirs(name), scope="row"), *cells)
    if highlighted:
        row.set("class", "ours")
    return row


def _table(
    header: Sequence[str], body: Sequence[Element], caption: str, words: Collection[int] = ()
) -> Element:
    """A table that scrolls by itself where the page is narrow. Columns `words` hold no figures."""
    cells = [
        tag("th", name, scope="col", class_="words" if place == 0 or place in words else "figure")
        for place, name in enumerate(header)
    ]
    table = tag(
        "table", tag("caption", tag("span", caption)), tag("thead", tag("tr", *cells)), tag("tbody", *body)
    )
    return tag("div", table, class_="scroll", tabindex="0")


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Element:
    rows = [
        tag("tr", tag("th", theirs(name), scope="row"), tag("td", theirs(value))) for name, value in pairs
    ]
    return tag("table", tag("caption", title), tag("tbody", *rows))


def cutoffs_of(rows: Sequence[ScoreRow]) -> list[int | None]:
    """The cut-offs for which these rows have metrics, 10 first."""
    return cutoffs(name for row in rows for name in row.metrics)
