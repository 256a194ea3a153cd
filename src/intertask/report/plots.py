"""The plots of a report, each from the records it shows. Knows nothing of pages and files.

Every interval is drawn as it was measured, bars begin at zero, and what a colour says a mark or a legend
says too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intertask.evaluate.results import DifferenceRow, ScoreRow, TradeoffRow
from intertask.evaluate.sufficiency import NO_DIFFERENCE, NOT_JUDGED
from intertask.report.canvas import INK, MUTED, SERIES, Plot, draw, slug
from intertask.report.figures import MINUS, label, number, slice_kind
from intertask.report.journal import Journal
from intertask.terminal.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_POINTS = 800  # of a raw curve: more are not seen, and each is bytes in the page
_LEGEND_LETTERS = 62  # beside each other in a legend, lines and gaps included
_LONGEST_NAME = 48  # of a line of a legend
_LONGEST_WORD = 30  # beside the axes, which vanish where it is longer
_MARKS = {
    "better": ("o", SERIES[0]),
    "worse": ("D", SERIES[1]),
    NO_DIFFERENCE: ("s", MUTED),
    NOT_JUDGED: ("x", MUTED),
}


def forest(rows: Sequence[DifferenceRow], footer: str) -> Plot:
    """Model minus each baseline with its interval, for one task, history and metric; best on top."""
    rows = sorted(rows, key=lambda row: row.difference)
    metric, question = label(rows[0].metric), _question(rows[0].task, rows[0].history)

    def paint(axes: "Axes") -> None:
        axes.axvline(0, color=INK, linewidth=1)
        for place, row in enumerate(rows):
            mark, colour = _MARKS[row.verdict]
            axes.plot([row.interval.low, row.interval.high], [place, place], color=colour, linewidth=2)
            axes.plot(row.difference, place, mark, color=colour, markersize=6)
        for verdict in [verdict for verdict in _MARKS if any(row.verdict == verdict for row in rows)]:
            mark, colour = _MARKS[verdict]
            words = f"model {verdict}" if verdict in ("better", "worse") else verdict
            axes.plot([], [], mark, color=colour, linestyle="-", linewidth=2, label=words)
        axes.set_yticks(range(len(rows)), [f"{MINUS} {_shown(row.baseline)}" for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(f"model {MINUS} baseline, {_shown(metric)}")
        axes.locator_params(axis="x", nbins=6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        _legend_above(axes)

    title = f"{metric} against each baseline: {question}"
    name = slug(*filter(None, ("forest", rows[0].task, rows[0].history, rows[0].metric)))
    return draw(name, title, footer, paint, height=1.25 + 0.3 * len(rows))


def slices(rows: Sequence[ScoreRow], systems: Sequence[str], metric: str, footer: str) -> Plot:
    """A metric on every slice of one kind, for one task and history, system beside system.

    Args:
        rows: The rows of these slices, of any systems.
        systems: Which systems to show; the model first.
        metric: Which metric.
        footer: See `draw`.
    """
    found = {(row.slice, row.system): row for row in rows if metric in row.metrics}
    names = list(dict.fromkeys(row.slice for row in rows))
    kind, thickness = slice_kind(names[0])[0], 0.8 / len(systems)

    def paint(axes: "Axes") -> None:
        for place, system in enumerate(systems):
            shown = [(at, found[name, system]) for at, name in enumerate(names) if (name, system) in found]
            values = [row.metrics[metric] for _, row in shown]
            centres = [at + (place - (len(systems) - 1) / 2) * thickness for at, _ in shown]
            axes.barh(centres, values, thickness * 0.88, color=SERIES[place], label=_shown(system))
            for centre, (_, row) in zip(centres, shown, strict=True):
                if metric in row.intervals:
                    bounds = row.intervals[metric]
                    axes.plot([bounds.low, bounds.high], [centre, centre], color=INK, linewidth=1)
        counts = {row.slice: row.count for row in rows}
        axes.set_yticks(
            range(len(names)), [f"{_shown(slice_kind(name)[1])}\n(n = {counts[name]:,})" for name in names]
        )
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(_shown(label(metric)))
        axes.set_ylabel(kind)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        _legend_above(axes)

    title = f"{label(metric)} by {kind}: {_question(rows[0].task, rows[0].history)}"
    name = slug(*filter(None, ("slices", kind.replace(" ", "_"), rows[0].task, rows[0].history)))
    return draw(name, title, footer, paint, height=1.1 + 0.6 * len(names))


def reliability(rows: Sequence[ScoreRow], footer: str) -> Plot:
    """Predicted against observed for the systems of one task; a dot's area is its targets.

    The axes end where the dots do, so that the plot of a rare event is not one dot in a corner.
    """
    shown = [row for row in rows if row.calibration][: len(SERIES)]
    points = [[place for place in row.quantiles or row.calibration if place.count] for row in shown]
    every = [place for own in points for place in own]
    largest = max((place.count for place in every), default=1)
    end = reach([value for place in every for value in (place.predicted, place.observed)])

    def paint(axes: "Axes") -> None:
        axes.plot([0, end], [0, end], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
        for row, own, colour in zip(shown, points, SERIES, strict=False):
            predicted, observed = [place.predicted for place in own], [place.observed for place in own]
            areas = [12 + 110 * place.count / largest for place in own]
            axes.plot(
                predicted,
                observed,
                color=colour,
                linewidth=1.4,
                label=_shown(row.system),
                marker="o",
                markersize=2,
            )
            axes.scatter(predicted, observed, areas, color=colour, alpha=0.75, linewidths=0)
        axes.set(xlim=(-0.02 * end, 1.02 * end), ylim=(-0.02 * end, 1.02 * end), aspect="equal")
        axes.locator_params(nbins=6)
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("observed share")
        axes.legend(loc="upper left")

    title = f"Reliability: {rows[0].task} (area of a dot: targets in the bin)"
    return draw(slug("reliability", rows[0].task), title, footer, paint, height=4.4)


def abstention(rows: Sequence[ScoreRow], footer: str) -> Plot:
    """The share of wrong answers among the most certain ones, for the systems of one task."""
    shown = rows[: len(SERIES)]

    def paint(axes: "Axes") -> None:
        for row, colour in zip(shown, SERIES, strict=False):
            coverage, risk = [at.coverage for at in row.abstention], [at.risk for at in row.abstention]
            axes.plot(
                coverage,
                risk,
                color=colour,
                linewidth=1.4,
                marker="o",
                markersize=3,
                label=_shown(row.system),
            )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("coverage: share of rows that are answered")
        axes.set_ylabel("risk: share of these that is wrong")
        _legend_above(axes)

    title = f"Risk against coverage: {rows[0].task}"
    return draw(slug("abstention", rows[0].task), title, footer, paint, height=3.6)


def reach(shares: Sequence[float]) -> float:
    """Where axes of shares end: at 1, or a little above the largest where that is far below."""
    largest = max(shares, default=0.0)
    return 1.1 * largest if 0.0 < largest < 0.7 else 1.0


def tradeoff(rows: Sequence[TradeoffRow], footer: str) -> Plot:
    """NDCG@10 of one task over that of another, a point for each mixture."""
    first, second = rows[0].first, rows[0].second

    def paint(axes: "Axes") -> None:
        across, up = [row.ndcg[second] for row in rows], [row.ndcg[first] for row in rows]
        axes.plot(across, up, "o-", color=SERIES[0], markersize=4)
        for row in rows:
            axes.annotate(
                f"{row.weight:g}",
                (row.ndcg[second], row.ndcg[first]),
                xytext=(5, 5),
                textcoords="offset points",
                color=MUTED,
                fontsize=8,
            )
        axes.margins(0.12)
        axes.set_xlabel(f"{_shown(second)}, NDCG@10")
        axes.set_ylabel(f"{_shown(first)}, NDCG@10")

    return draw(slug("tradeoff", first, second), "Trade-off, by the weight of the first task", footer, paint)


def loss(journal: Journal, task: str, footer: str) -> Plot:
    """The loss of one task at every step, smoothed over raw."""
    points = [(step.step, step.losses[task]) for step in journal.steps if task in step.losses]
    steps, losses = np.array([at for at, _ in points]), np.array([value for _, value in points])

    def paint(axes: "Axes") -> None:
        kept = _extremes(losses)
        axes.plot(steps[kept], losses[kept], color=SERIES[0], alpha=0.4, linewidth=0.7, label="each step")
        smooth, thin = _smoothed(losses), np.unique(np.linspace(0, len(steps) - 1, 300).astype(int))
        axes.plot(steps[thin], smooth[thin], color=SERIES[0], linewidth=1.8, label="smoothed")
        low, high = np.quantile(losses, [0.0, 0.995])
        if high > low:
            axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        axes.set_xlabel("step (updates)")
        axes.set_ylabel("loss on training data, unweighted")
        _legend_above(axes)

    return draw(slug("loss", task), f"Training loss: {task}", footer, paint)


def validation(journal: Journal, metrics: Sequence[str], footer: str) -> Plot:
    """One metric on validation data after every epoch, task beside task, the best epoch marked.

    Args:
        journal: The run.
        metrics: As the journal calls them, "next/ndcg@10"; one metric, at most as many tasks as colours.
        footer: See `draw`.
    """
    from matplotlib.ticker import MaxNLocator

    name = label(metrics[0].rpartition("/")[2])
    best = journal.kept_epoch

    def paint(axes: "Axes") -> None:
        for metric, colour, mark in zip(metrics, SERIES, "osD^", strict=False):
            points = {at.epoch: at.metrics[metric] for at in journal.validations if metric in at.metrics}
            task = _shown(metric.rpartition("/")[0] or name)
            if best in points:
                axes.plot(best, points[best], mark, color=colour, markersize=9)
                task = f"{task}, {number(points[best])} at best"
            axes.plot(list(points), list(points.values()), f"{mark}-", color=colour, markersize=3, label=task)
        if best is not None:
            axes.axvline(best, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label=f"best epoch: {best}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(y=0.08)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{_shown(name)} on validation data")
        _legend_above(axes)

    return draw(slug("validation", metrics[0].rpartition("/")[2]), f"Validation: {name}", footer, paint)


def _question(task: str, history: str) -> str:
    return f"{task}, history {history}" if history else task


def _shown(word: str) -> str:
    """A word of a user beside the axes."""
    shown = printable(word)
    return shown if len(shown) <= _LONGEST_WORD else f"{shown[: _LONGEST_WORD - 1]}…"


def _legend_above(axes: "Axes") -> None:
    lines, names = axes.get_legend_handles_labels()
    names = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names]
    widest = max(map(len, names), default=0) + 6  # a line and the gap beside it
    columns = max(1, min(len(names), 3, _LEGEND_LETTERS // widest))  # a wider legend would crush the axes
    axes.legend(
        lines,
        names,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderaxespad=0.2,
        handlelength=1.6,
    )


def _extremes(values: np.ndarray) -> np.ndarray:
    """Places of the lowest and highest value in each stretch, so that thinning hides no spike."""
    stretches = np.array_split(np.arange(len(values)), max(1, min(_MAX_POINTS // 2, len(values))))
    places = [(part[values[part].argmin()], part[values[part].argmax()]) for part in stretches if len(part)]
    return np.unique(places)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The centred mean of a fiftieth of the run, over what there is of it at both ends."""
    reach = max(1, len(values) // 100)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    starts = np.maximum(np.arange(len(values)) - reach, 0)
    smooth: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return smooth
