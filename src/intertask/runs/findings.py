"""What a tuning found, and its report as a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from intertask.report.markup import standing_alone
from intertask.runs.space import Value, changes
from intertask.terminal.markup import tag, theirs


@dataclass(frozen=True)
class Trial:
    """A recipe that was tried.

    Args:
        number: 0 is the recipe as it stands.
        values: What was other in it.
        score: What it reached on the validation part; None where it was stopped or failed.
        told: What became of it.
    """

    number: int
    values: Mapping[str, Value]
    score: float | None
    told: str


@dataclass(frozen=True)
class Tuned:
    """What came of a tuning.

    Args:
        monitor: What was made greater.
        trials: In their order.
        means: Of the finalists, the mean over the seeds, by number.
        seeds: How many seeds each of them had.
        winner: The number of the best one.
        seconds: That it took, over all starts.
    """

    monitor: str
    trials: tuple[Trial, ...]
    means: Mapping[int, float]
    seeds: int
    winner: int
    seconds: float


def page(name: str, tuned: Tuned) -> str:
    """The report as one HTML text that needs nothing beside it."""
    gain = tuned.means[tuned.winner] - tuned.means[0]
    verdict = f"Trial {tuned.winner} is better than the recipe as it stands by {gain:.4f}."
    if tuned.winner == 0:
        verdict = "Nothing better than the recipe as it stands was found."
    minutes, seeds = tuned.seconds / 60, f"{tuned.seeds} seed{'' if tuned.seeds == 1 else 's'}"
    told = (
        f"{tuned.monitor} on the validation part, {len(tuned.trials)} trials in {minutes:.1f} minutes; "
        f"finalists by their mean over {seeds}. The test part was read for the winner and for trial 0 alone: "
        "evaluation.json in their folders."
    )
    header = tag("tr", *(tag("th", one) for one in ("Trial", "Score", "Mean", "Changes", "Outcome")))
    rows = [
        tag(
            "tr",
            tag("td", str(one.number)),
            tag("td", "" if one.score is None else f"{one.score:.4f}"),
            tag("td", f"{tuned.means[one.number]:.4f}" if one.number in tuned.means else ""),
            tag("td", theirs(" ".join(changes(one.values)))),
            tag("td", theirs(one.told)),
        )
        for one in sorted(tuned.trials, key=lambda one: -(one.score if one.score is not None else -1e9))
    ]
    main = tag(
        "main",
        tag("header", tag("h1", theirs(name)), tag("p", told, class_="quiet")),
        tag("div", tag("p", verdict, class_="says"), class_="verdict"),
        tag("section", tag("h2", "Trials"), tag("table", tag("thead", header), tag("tbody", *rows))),
    )
    return standing_alone(f"{name}: tuning", main)
