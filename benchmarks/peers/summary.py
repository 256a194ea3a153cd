"""The results of a run as Markdown: medians, and ratios that are taken within each round."""

import json
from collections.abc import Iterable, Mapping
from statistics import median

OURS = "intertask"
Line = Mapping[str, object]


def speed_table(lines: Iterable[Line]) -> str:
    """Throughput, time of evaluation, and peak memory, one row a peer."""
    lines = list(lines)
    head = (
        "peer", "rounds", "weights", "interactions/s", "lowest to highest", "ratio", "epochs measured",
        "training, peak MiB", "evaluation, s", "ratio", "evaluation, peak MiB", "NDCG@10",
    )  # fmt: skip
    rows = []
    for peer in _peers(lines):
        train, evaluate = _good(lines, peer, "train"), _good(lines, peer, "evaluate")
        speeds = [line["interactions_per_second"] for line in train.values()]
        rows.append(
            (
                peer,
                str(len(train)),
                _median(train, "weights"),
                _median(train, "interactions_per_second"),
                f"{min(speeds):,.0f} to {max(speeds):,.0f}" if speeds else "",
                _ratio(train, _good(lines, OURS, "train"), "interactions_per_second"),
                _median(train, "measured_epochs", ".3g"),
                _median(train, "peak_mib"),
                _median(evaluate, "seconds", ".2f"),
                _ratio(evaluate, _good(lines, OURS, "evaluate"), "seconds"),
                _median(evaluate, "peak_mib"),
                _median(evaluate, "ndcg@10", ".4f"),
            )
        )
    return _table(head, rows) + _failures(lines) + _origin(lines)


def quality_table(lines: Iterable[Line]) -> str:
    """The best validation NDCG@10 of each course, and the training time up to levels of it."""
    lines = list(lines)
    courses = {str(line["peer"]): line["course"] for line in lines if line["ok"]}
    bests = {peer: max(course, key=lambda point: point["ndcg@10"]) for peer, course in courses.items()}
    levels = sorted({round(best["ndcg@10"], 4) for best in bests.values()})
    head = (
        "peer", "weights", "best NDCG@10", "epoch", "training seconds", "seconds an epoch",
        *(f"seconds to {level:.4f}" for level in levels),
    )  # fmt: skip
    rows = []
    for peer, course in courses.items():
        best = bests[peer]
        reached = [
            next((point["train_seconds"] for point in course if round(point["ndcg@10"], 4) >= level), None)
            for level in levels
        ]
        rows.append(
            (
                peer,
                _median(_good(lines, peer, "quality"), "weights"),
                f"{best['ndcg@10']:.4f}",
                f"{best['epoch']:.0f}",
                f"{best['train_seconds']:,.1f}",
                f"{course[-1]['train_seconds'] / course[-1]['epoch']:,.2f}",
                *("never" if seconds is None else f"{seconds:,.1f}" for seconds in reached),
            )
        )
    return _table(head, rows) + _failures(lines) + _origin(lines)


def _peers(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(str(line["peer"]) for line in lines))


def _good(lines: list[Line], peer: str, stage: str) -> dict[int, Line]:
    """The measurement of each round."""
    return {
        line["round"]: line
        for line in lines
        if line["ok"] and line["peer"] == peer and line["stage"] == stage
    }


def _median(found: Mapping[int, Line], name: str, form: str = ",.0f") -> str:
    values = [line[name] for line in found.values() if name in line]
    return format(median(values), form) if values else ""


def _ratio(found: Mapping[int, Line], ours: Mapping[int, Line], name: str) -> str:
    """The median over the rounds of a peer's figure in intertask's of the same round."""
    ratios = [line[name] / ours[turn][name] for turn, line in found.items() if turn in ours]
    return f"{median(ratios):.3g}" if ratios else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---", *["---:"] * (len(list(head)) - 1)], *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _failures(lines: list[Line]) -> str:
    return "".join(
        f"\n{line['peer']}, round {line['round']}, {line['stage']}: {line['error']}\n"
        for line in lines
        if not line["ok"] and line["round"] not in _good(lines, str(line["peer"]), str(line["stage"]))
    )


def _origin(lines: list[Line]) -> str:
    """Machine, commits, versions, settings: what the figures are of."""
    told = [line for line in lines if "provenance" in line]
    if not told:
        return ""
    origins = {", ".join(map(str, line["provenance"].values())) for line in told}
    loads = [line["load_before"] for line in told]
    versions = {f"{name} {value}" for line in lines for name, value in line.get("versions", {}).items()}
    settings = {json.dumps(line["settings"]) for line in lines}
    return (
        f"\n{'; '.join(sorted(origins))}; load before a process {min(loads)} to {max(loads)}.\n"
        f"{', '.join(sorted(versions))}.\nSettings {'; '.join(sorted(settings))}.\n"
    )
