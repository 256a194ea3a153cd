"""The forest plot of a study: what each task gains or loses, with its interval, in percent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from intertask.evaluate.gains import Change, TaskTransfer
from intertask.evaluate.sufficiency import NO_DIFFERENCE, NOT_JUDGED
from intertask.report.canvas import INK, MUTED, SERIES, Plot, draw
from intertask.report.figures import label
from intertask.terminal.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = {
    "gains": ("o", SERIES[0]),
    "loses": ("D", SERIES[1]),
    NO_DIFFERENCE: ("s", MUTED),
    NOT_JUDGED: ("x", MUTED),
}
_LONGEST = 30  # letters of a name beside the axes


def gains(tasks: Sequence[TaskTransfer], footer: str) -> Plot:
    """Together minus alone for each task, and below it, lighter, minus a model of as many weights."""
    rows = list(reversed(tasks))

    def paint(axes: "Axes") -> None:
        axes.axvline(0, color=INK, linewidth=1)
        for place, task in enumerate(rows):
            _draw(axes, place + 0.14, task.alone, 1.0)
            _draw(axes, place - 0.16, task.matched, 0.5)
        told = {change.verdict for task in rows for change in (task.alone, task.matched)}
        for verdict in [verdict for verdict in _MARKS if verdict in told]:
            mark, colour = _MARKS[verdict]
            axes.plot([], [], mark, color=colour, linestyle="-", linewidth=2, label=verdict)
        names = [printable(f"{task.task}, {label(task.metric)}") for task in rows]
        short = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names]
        axes.set_yticks(range(len(rows)), short)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("change in percent; lighter: as many weights")
        axes.locator_params(axis="x", nbins=6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handlelength=1.6)

    title = "What each task gains or loses, with 95 % intervals"
    return draw("gains", title, footer, paint, height=1.4 + 0.5 * len(rows))


def _draw(axes: "Axes", height: float, change: Change, alpha: float) -> None:
    share = 100 / abs(change.alone) if change.alone else 0.0
    mark, colour = _MARKS[change.verdict]
    bounds = [share * change.interval.low, share * change.interval.high]
    axes.plot(bounds, [height, height], color=colour, linewidth=2, alpha=alpha)
    axes.plot(change.percent, height, mark, color=colour, markersize=6, alpha=alpha)
