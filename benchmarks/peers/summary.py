"""The results of a run as Markdown: medians, and ratios that are taken within each round."""

import json
from collections.abc import Callable, Iterable, Mapping
from statistics import median

from pydantic import BaseModel, ConfigDict, Field

OURS = "intertask"


class Point(BaseModel):
    """One validation of a course."""

    model_config = ConfigDict(extra="ignore")

    epoch: int
    train_seconds: float
    ndcg: float = Field(alias="ndcg@10")


class Line(BaseModel):
    """One measurement, as it stands in a results file; figures that a stage does not take are None."""

    model_config = ConfigDict(extra="ignore")

    round: int
    peer: str
    stage: str
    settings: dict[str, object]
    ok: bool
    error: str = ""
    provenance: dict[str, str] | None = None
    load_before: float = 0.0
    versions: dict[str, str] = {}
    weights: int | None = None
    interactions_per_second: float | None = None
    measured_epochs: float | None = None
    peak_mib: float | None = None
    seconds: float | None = None
    ndcg: float | None = Field(default=None, alias="ndcg@10")
    course: list[Point] = []


Figure = Callable[[Line], float | None]


def speed_table(lines: Iterable[Line]) -> str:
    """Throughput, time of evaluation, and peak memory, one row a peer."""
    lines = list(lines)
    head = (
        "peer",
        "rounds",
        "weights",
        "interactions/s",
        "lowest to highest",
        "ratio",
        "epochs measured",
        "training, peak MiB",
        "evaluation, s",
        "ratio",
        "evaluation, peak MiB",
        "NDCG@10",
    )
    rows = []
    for peer in _peers(lines):
        train, evaluate = _good(lines, peer, "train"), _good(lines, peer, "evaluate")
        speeds = _values(train, lambda line: line.interactions_per_second)
        rows.append(
            (
                peer,
                str(len(train)),
                _median(train, lambda line: line.weights),
                _median(train, lambda line: line.interactions_per_second),
                f"{min(speeds):,.0f} to {max(speeds):,.0f}" if speeds else "",
                _ratio(train, _good(lines, OURS, "train"), lambda line: line.interactions_per_second),
                _median(train, lambda line: line.measured_epochs, ".3g"),
                _median(train, lambda line: line.peak_mib),
                _median(evaluate, lambda line: line.seconds, ".2f"),
                _ratio(evaluate, _good(lines, OURS, "evaluate"), lambda line: line.seconds),
                _median(evaluate, lambda line: line.peak_mib),
                _median(evaluate, lambda line: line.ndcg, ".4f"),
            )
        )
    return _table(head, rows) + _failures(lines) + _origin(lines)


def quality_table(lines: Iterable[Line]) -> str:
    """The best validation NDCG@10 of each course, and the training time up to levels of it."""
    lines = list(lines)
    courses = {line.peer: line.course for line in lines if line.ok}
    bests = {peer: max(course, key=lambda point: point.ndcg) for peer, course in courses.items()}
    levels = sorted({round(best.ndcg, 4) for best in bests.values()})
    head = (
        "peer",
        "weights",
        "best NDCG@10",
        "epoch",
        "training seconds",
        "seconds an epoch",
        *(f"seconds to {level:.4f}" for level in levels),
    )
    rows = []
    for peer, course in courses.items():
        best = bests[peer]
        reached = [
            next((point.train_seconds for point in course if round(point.ndcg, 4) >= level), None)
            for level in levels
        ]
        rows.append(
            (
                peer,
                _median(_good(lines, peer, "quality"), lambda line: line.weights),
                f"{best.ndcg:.4f}",
                f"{best.epoch}",
                f"{best.train_seconds:,.1f}",
                f"{course[-1].train_seconds / course[-1].epoch:,.2f}",
                *("never" if seconds is None else f"{seconds:,.1f}" for seconds in reached),
            )
        )
    return _table(head, rows) + _failures(lines) + _origin(lines)


def _peers(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line.peer for line in lines))


def _good(lines: list[Line], peer: str, stage: str) -> dict[int, Line]:
    """The measurement of each round."""
    return {line.round: line for line in lines if line.ok and line.peer == peer and line.stage == stage}


def _values(found: Mapping[int, Line], figure: Figure) -> list[float]:
    values = [figure(line) for line in found.values()]
    return [value for value in values if value is not None]


def _median(found: Mapping[int, Line], figure: Figure, form: str = ",.0f") -> str:
    values = _values(found, figure)
    return format(median(values), form) if values else ""


def _ratio(found: Mapping[int, Line], ours: Mapping[int, Line], figure: Figure) -> str:
    """Median over the rounds of a peer's figure divided by intertask's of the same round."""
    pairs = [(figure(line), figure(ours[turn])) for turn, line in found.items() if turn in ours]
    ratios = [theirs / own for theirs, own in pairs if theirs is not None and own is not None]
    return f"{median(ratios):.3g}" if ratios else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---", *["---:"] * (len(list(head)) - 1)], *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _failures(lines: list[Line]) -> str:
    return "".join(
        f"\n{line.peer}, round {line.round}, {line.stage}: {line.error}\n"
        for line in lines
        if not line.ok and line.round not in _good(lines, line.peer, line.stage)
    )


def _origin(lines: list[Line]) -> str:
    """Machine, commits, versions, settings: what the figures are of."""
    told = [line for line in lines if line.provenance is not None]
    if not told:
        return ""
    origins = {", ".join((line.provenance or {}).values()) for line in told}
    loads = [line.load_before for line in told]
    versions = {f"{name} {value}" for line in lines for name, value in line.versions.items()}
    settings = {json.dumps(line.settings) for line in lines}
    return (
        f"\n{'; '.join(sorted(origins))}; load before a process {min(loads)} to {max(loads)}.\n"
        f"{', '.join(sorted(versions))}.\nSettings {'; '.join(sorted(settings))}.\n"
    )
