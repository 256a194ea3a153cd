"""Whether the model is above every baseline, in words. Reads the paired differences and nothing else.

A difference counts only where its 95 % interval excludes zero. What the figures do not decide is called
undecided, in the headline too. Where there is too little to judge by there is no verdict, and the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from intertask.evaluate.results import DifferenceRow
from intertask.evaluate.sufficiency import NO_DIFFERENCE
from intertask.report.figures import label, main_metric, signed, signed_interval

Outcome = Literal["win", "lose", "undecided", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What the paired differences show for one task and one way to treat the history."""

    task: str
    history: str
    outcome: Outcome
    sentence: str


def verdicts(differences: Sequence[DifferenceRow]) -> list[Verdict]:
    """One verdict for each task and history, in the order of the differences."""
    groups: dict[tuple[str, str], list[DifferenceRow]] = {}
    for row in differences:
        groups.setdefault((row.task, row.history), []).append(row)
    found = []
    for (task, history), rows in groups.items():
        metric = main_metric(row.metric for row in rows)
        found.append(_verdict(task, history, [row for row in rows if row.metric == metric], metric))
    return found


def headline(found: Sequence[Verdict]) -> Verdict:
    """The verdicts as one: a win only where every one of them is a win."""
    if not found:
        return Verdict(
            "", "", "unknown", "Nothing can be said: the model was not compared with any baseline."
        )
    if len(found) == 1:
        return found[0]
    outcomes = [verdict.outcome for verdict in found]
    if set(outcomes) == {"unknown"}:
        sentence = f"No verdict in any of {len(found)} comparisons: there is too little to judge by."
        return Verdict("", "", "unknown", sentence)
    if set(outcomes) == {"win"}:
        return Verdict("", "", "win", f"The model is above every baseline in all {len(found)} comparisons.")
    sentence = f"The model is above every baseline in {outcomes.count('win')} of {len(found)} comparisons"
    details = [
        f"below at least one in {outcomes.count('lose')}" if "lose" in outcomes else "",
        f"undecided in {outcomes.count('undecided')}" if "undecided" in outcomes else "",
        f"no verdict in {outcomes.count('unknown')}" if "unknown" in outcomes else "",
    ]
    sentence = ", ".join([sentence, *filter(None, details)]) + "."
    return Verdict("", "", "lose" if "lose" in outcomes else "undecided", sentence)


def _verdict(task: str, history: str, rows: list[DifferenceRow], metric: str) -> Verdict:
    if not rows:
        return Verdict(task, history, "unknown", f"No baseline was compared at {label(metric)}.")
    ordered = sorted(rows, key=lambda row: row.difference)
    lacking = [row.too_few for row in ordered if row.too_few]
    if lacking:
        return Verdict(task, history, "unknown", f"No verdict: {lacking[0]}.")
    worse = [row for row in ordered if row.verdict == "worse"]
    undecided = [row for row in ordered if row.verdict == NO_DIFFERENCE]
    better = [row for row in ordered if row.verdict == "better"]
    if worse:
        return Verdict(task, history, "lose", _lost(worse, undecided, better, metric))
    if undecided:
        return Verdict(task, history, "undecided", _undecided(undecided, better, metric))
    every = f"all {len(better)} baselines" if len(better) > 1 else f"{better[0].baseline}, the only baseline"
    closest = f"the closest is {better[0].baseline}: " if len(better) > 1 else ""
    sentence = f"The model is above {every} at {label(metric)}; {closest}{_figure(better[0])}."
    return Verdict(task, history, "win", sentence)


def _lost(
    worse: list[DifferenceRow], undecided: list[DifferenceRow], better: list[DifferenceRow], metric: str
) -> str:
    sentence = f"{worse[0].baseline} beats the model at {label(metric)}: {_figure(worse[0])}."
    if worse[1:]:
        sentence += f" {_names(worse[1:])} {_verb(worse[1:], 'beats', 'beat')} it too."
    if undecided:
        sentence += f" No difference is shown to {_names(undecided)}."
    if better:
        sentence += f" The model is above {_names(better)}."
    return sentence


def _undecided(undecided: list[DifferenceRow], better: list[DifferenceRow], metric: str) -> str:
    closest = undecided[0]
    sentence = f"No difference is shown between the model and {closest.baseline} at {label(metric)}: "
    sentence += f"{_figure(closest)}."
    if undecided[1:]:
        sentence += f" Nor is one shown to {_names(undecided[1:])}."
    if better:
        return f"{sentence} The model is above {_names(better)}, and below none."
    return f"{sentence} The model is above no baseline, and below none."


def _figure(row: DifferenceRow) -> str:
    return (
        f"model minus {row.baseline} {signed(row.difference)}, 95 % interval {signed_interval(row.interval)}"
    )


def _names(rows: list[DifferenceRow]) -> str:
    *most, last = [row.baseline for row in rows]
    return f"{', '.join(most)} and {last}" if most else last


def _verb(rows: list[DifferenceRow], one: str, many: str) -> str:
    return one if len(rows) == 1 else many
