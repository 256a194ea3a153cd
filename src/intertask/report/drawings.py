"""Which plots a run deserves. Chooses the rows; `plots` draws them."""

from dataclasses import dataclass, field

from intertask.evaluate.results import DifferenceRow, Evaluation, ScoreRow
from intertask.report import plots
from intertask.report.canvas import SERIES, Plot, available
from intertask.report.figures import (
    by_question,
    conditions,
    main_metric,
    model_system,
    says_little,
    shown_systems,
    slice_kind,
    split,
)
from intertask.report.journal import Journal

_NUM_VALIDATION_PLOTS = 4  # further metrics are in the table of epochs


@dataclass(frozen=True)
class Drawings:
    """The plots of a run, by the section of the page they belong to; tables alone where `drawn` is false."""

    drawn: bool = False
    forests: dict[tuple[str, str], list[Plot]] = field(default_factory=dict)
    slices: dict[tuple[str, str], list[Plot]] = field(default_factory=dict)
    reliability: dict[str, Plot] = field(default_factory=dict)
    abstention: dict[str, Plot] = field(default_factory=dict)
    tradeoff: list[Plot] = field(default_factory=list)
    training: list[Plot] = field(default_factory=list)

    def all(self) -> list[Plot]:
        """Every plot once."""
        grouped = [*self.forests.values(), *self.slices.values()]
        return [
            *(plot for group in grouped for plot in group),
            *self.reliability.values(),
            *self.abstention.values(),
            *self.tradeoff,
            *self.training,
        ]


def drawings(evaluation: Evaluation, journal: Journal) -> Drawings:
    """The plots of a run, or none where matplotlib is not installed."""
    if not available():
        return Drawings()
    return Drawings(
        True,
        _forests(evaluation),
        _slices(evaluation),
        _reliability(evaluation),
        _abstention(evaluation),
        _tradeoff(evaluation),
        _training(evaluation, journal),
    )


def _forests(evaluation: Evaluation) -> dict[tuple[str, str], list[Plot]]:
    groups: dict[tuple[str, str], list[DifferenceRow]] = {}
    for row in evaluation.differences:
        groups.setdefault((row.task, row.history), []).append(row)
    found = {}
    for key, rows in groups.items():
        metric = main_metric(row.metric for row in rows)
        shown = [row for row in rows if row.metric == metric]
        found[key] = [plots.forest(shown, _footer(evaluation, key[1]))]
    return found


def _tradeoff(evaluation: Evaluation) -> list[Plot]:
    rows = evaluation.tradeoffs
    return [plots.tradeoff(rows, _footer(evaluation, rows[0].history))] if rows else []


def _slices(evaluation: Evaluation) -> dict[tuple[str, str], list[Plot]]:
    found = {}
    for key, rows in by_question(evaluation.scores).items():
        systems = shown_systems(rows, model_system(evaluation))
        metric = main_metric(name for row in rows for name in row.metrics)
        kinds: dict[str, list[ScoreRow]] = {}
        for row in rows:
            if row.slice != "all" and row.system in systems and not says_little(row, metric):
                kinds.setdefault(slice_kind(row.slice)[0], []).append(row)
        footer = _footer(evaluation, key[1])
        found[key] = [plots.slices(part, systems, metric, footer) for part in kinds.values()]
    return found


def _reliability(evaluation: Evaluation) -> dict[str, Plot]:
    found = {}
    own = [row for row in evaluation.scores if row.calibration and row.slice == "all"]
    for task in dict.fromkeys(row.task for row in own):
        rows = [row for row in own if row.task == task]
        rows.sort(key=lambda row: row.system != model_system(evaluation))  # the model has the first colour
        found[task] = plots.reliability(rows, _footer(evaluation, None))
    return found


def _abstention(evaluation: Evaluation) -> dict[str, Plot]:
    found = {}
    own = [row for row in evaluation.scores if row.abstention]
    for task in dict.fromkeys(row.task for row in own):
        rows = [row for row in own if row.task == task]
        rows.sort(key=lambda row: row.system != model_system(evaluation))
        found[task] = plots.abstention(rows, _footer(evaluation, None))
    return found


def _training(evaluation: Evaluation, journal: Journal) -> list[Plot]:
    provenance, how = evaluation.provenance, evaluation.protocol.split.replace("_", "-")
    footer = f"{evaluation.model} · {how} · seed {provenance.seed} · commit {provenance.commit[:12]}"
    tasks = dict.fromkeys(task for step in journal.steps for task in step.losses)
    drawn = [plots.loss(journal, task, footer) for task in tasks]
    names = dict.fromkeys(name for at in journal.validations for name in at.metrics)
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.rpartition("/")[2], []).append(name)
    # One plot for each metric, and of the same metric at several cut-offs only that at 10.
    chosen = [kind for kind in kinds if split(kind)[1] in (None, 10)] or list(kinds)
    for kind in chosen[:_NUM_VALIDATION_PLOTS]:
        drawn.append(plots.validation(journal, kinds[kind][: len(SERIES)], footer))
    return drawn


def _footer(evaluation: Evaluation, history: str | None) -> str:
    return f"{evaluation.model} · {conditions(evaluation, history or None)}"
