"""How figures are ordered, named and written, the same on the page, in a plot and in the terminal."""

import re
from collections.abc import Iterable, Sequence

from intertask.evaluate.config import MODEL
from intertask.evaluate.protocol import Protocol
from intertask.evaluate.results import Evaluation, Interval, ScoreRow
from intertask.metrics.direction import MAIN_METRIC, lower_is_better

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"  # of numbers, and of ranges
_ORDER = (
    *("ndcg", "hr", "mrr", "recall", "map", "coverage", "novelty", "diversity", "popularity_share"),
    *("auc", "log_loss", "accuracy", "balanced_accuracy", "macro_f1", "calibration_error", "rmse", "mae"),
    *("word_error_rate", "character_error_rate", "pinball_loss", "direction", "interval_coverage"),
)
_NAMES = {
    "hr": "HR",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "map": "MAP",
    "auc": "AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "macro_f1": "Macro F1",
    "-log_loss": "Log-likelihood",
    "-squared_error": "Squared error, negated",
    "-word_error_rate": "Word error rate, negated",
    "-pinball_loss": "Pinball loss, negated",
}


def split(metric: str) -> tuple[str, int | None]:
    """A metric's name and its cut-off: "ndcg@10" is ("ndcg", 10), "auc" is ("auc", None)."""
    name, _, k = metric.partition("@")
    return (name, int(k)) if k.isdecimal() else (metric, None)


def label(metric: str) -> str:
    """A metric as people write it: "ndcg@10" is "NDCG@10", "log_loss" is "Log loss"."""
    name, k = split(metric)
    words = _NAMES.get(name, name.replace("_", " ").capitalize())
    return words if k is None else f"{words}@{k}"


def ordered(metrics: Iterable[str]) -> list[str]:
    """Metrics once each, in the order in which they are read: by name, then by cut-off."""

    def place(metric: str) -> tuple[int, str, int]:
        name, k = split(metric.removeprefix("-"))
        return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name, k or 0)

    return sorted(set(metrics), key=place)


def cutoffs(metrics: Iterable[str]) -> list[int | None]:
    """The cut-offs of metrics, 10 first where it is among them, then upwards."""
    found = {split(metric)[1] for metric in metrics}
    return sorted(found, key=lambda k: (k != 10, k or 0))


def main_metric(metrics: Iterable[str]) -> str:
    """NDCG@10 where it was measured, else the first that was in the order in which they are read."""
    found = ordered(metrics)
    ndcg = [metric for metric in found if split(metric)[0] == "ndcg"]
    return MAIN_METRIC if MAIN_METRIC in found else (ndcg or found or [MAIN_METRIC])[0]


def best(metric: str, values: Sequence[float]) -> float:
    """The best of some values of a metric, which is the lowest for an error and the highest for the rest."""
    return min(values) if lower_is_better(metric) else max(values)


def arrow(metric: str, beside: Iterable[str]) -> str:
    """Which way a metric is better, where some of those beside it go the other way."""
    if not any(map(lower_is_better, beside)):
        return ""
    return " ↓" if lower_is_better(metric) else " ↑"


def number(value: float) -> str:
    """A figure with four decimals, or two where it is 100 or more; a true minus sign."""
    return (f"{value:.4f}" if abs(value) < 100 else f"{value:,.2f}").replace("-", MINUS)


def answered(row: ScoreRow, metric: str) -> str:
    """A figure of a response; an AUC of a few positives is none."""
    if metric not in row.metrics:
        return ""
    return "too few" if says_little(row, metric) else number(row.metrics[metric])


def says_little(row: ScoreRow, metric: str) -> bool:
    """Whether a figure is of so few answers that it is better not shown."""
    return bool(row.too_few) and metric == "auc"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"{value:+.4f}".replace("-", MINUS)


def interval(bounds: Interval) -> str:
    """An interval as "low to high", short: "0.0381–0.0449"."""
    return f"{number(bounds.low)}{DASH}{number(bounds.high)}"


def signed_interval(bounds: Interval) -> str:
    """An interval of a difference: "−0.0012 to +0.0034"."""
    return f"{signed(bounds.low)} to {signed(bounds.high)}"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time as people say it: "0.42 s", "12.3 s", "3 min 12 s", "2 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def model_system(evaluation: Evaluation) -> str:
    """The name under which the model stands among the systems."""
    systems = {row.system for row in evaluation.scores}
    return evaluation.model if MODEL not in systems and evaluation.model in systems else MODEL


def by_question(rows: Iterable[ScoreRow]) -> dict[tuple[str, str], list[ScoreRow]]:
    """Rows by task and history, in the order in which they came."""
    groups: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in rows:
        groups.setdefault((row.task, row.history), []).append(row)
    return groups


def ranked(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """The rows of all targets, best system first by the main metric; ties keep their order."""
    whole = [row for row in rows if row.slice == "all"]
    metric = main_metric(metric for row in whole for metric in row.metrics)
    way = -1 if lower_is_better(metric) else 1
    return sorted(whole, key=lambda row: -way * row.metrics.get(metric, -way * float("inf")))


def shown_systems(rows: Iterable[ScoreRow], model: str) -> list[str]:
    """The model and the two baselines that rank best over all targets."""
    systems = [row.system for row in ranked(rows)]
    return [*([model] if model in systems else []), *[name for name in systems if name != model][:2]]


def slice_kind(name: str) -> tuple[str, str]:
    """The kind of a slice and its place in it: "history 5-9" is ("history length", "5-9").

    A slice by the values of a column is called "hospital: Zurich".
    """
    if name in {"visited", "unvisited"}:
        return "target item", name
    for prefix, kind in (("history ", "history length"), ("item popularity ", "item popularity")):
        if name.startswith(prefix):
            return kind, re.sub(r"(?<=\d)-(?=\d)", DASH, name.removeprefix(prefix))
    kind, colon, place = name.partition(": ")
    return (kind, place) if colon else ("other slices", name)


def conditions(evaluation: Evaluation, history: str | None = None) -> str:
    """The protocol and its fingerprint in one line, to stand under every table and plot of one run."""
    origin = evaluation.provenance
    told = measured(evaluation.protocol, history)
    return f"{told} · seed {origin.seed} · commit {origin.commit}"


def measured(protocol: Protocol, history: str | None = None) -> str:
    """How figures were measured, whatever the runs that they are of."""
    return " · ".join(
        [
            f"{protocol.part} data",
            protocol.split.replace("_", "-"),
            *protocol.told(history),
            f"protocol {protocol.fingerprint()}",
        ]
    )
