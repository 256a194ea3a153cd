"""The plots of the page of evidence and the tables behind them, from benchmarks/results."""

import json
import re
from pathlib import Path
from statistics import mean, median
from typing import Any

from options import MADE
from svg import Mark, plot

RESULTS = Path(__file__).parent.parent.parent / "benchmarks" / "results"
CLAIMS = RESULTS / "claims"
EVIDENCE = Path(__file__).parent.parent / "evidence"

LOGS = {
    "retailrocket": ("RetailRocket", "transaction"),
    "online_retail": ("Online Retail", "return"),
    "movielens_1m": ("MovieLens-1M, 2,000 users", "dislike"),
    "jdata": ("JData", "order"),
    "tmall": ("Tmall", "buy"),
    "census_income": ("Census Income", "income"),
}
THRICE = ("none", "shared bottom", "PLE", "attention", "gated slots", "one by one")
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "retailrocket": ("RetailRocket: view, cart, transaction", ("grid-retailrocket",)),
    "online_retail": ("Online Retail: purchase, return", ("grid-online_retail",)),
    "movielens_1m": ("MovieLens-1M by rating level, 2,000 users", ("grid-movielens_1m",)),
    "jdata": ("JData: browse, order", ("grid-jdata",)),
    "tmall": ("Tmall: view, cart, buy", ("grid-tmall",)),
    "census_income": ("Census Income: two answers to a row of a table", ("grid-census_income",)),
    "studies": (
        "Studies of one question each",
        ("two_by_two", "sparse", "noise", "controls", "controls-labels", "domains", "diversity", "cost"),
    ),
}
HEADS = {
    "two_by_two": "More input or more supervision",
    "sparse": "How many purchases are needed",
    "noise": "Random events",
    "controls": "Controls, all tasks with a weight of 1",
    "controls-labels": "Controls, tasks weighted by their number of labels",
    "domains": "Two domains of films",
    "diversity": "Diversity of the lists",
    "cost": "The cost of an update",
}
READING = """\
Each row is one mechanism. A cell holds the metric of a task trained alone, then trained together, then the
change with its 95 % interval. ▲ and ▼ mark p values below 5 % after Holm's correction over the tasks of a
row. *one by one* is a model of gated slots for each task; rows that begin with *without*, and *gradient
gate open*, are gated slots that lack one part. Rows with one seed know nothing of the luck of training.
What limits these figures stands in [the laboratory's notes](../../lab/claims.md).
"""


def plots() -> dict[str, str]:
    """Path below docs/ to SVG."""
    made = {
        "recipes": recipes(),
        "mechanisms": mechanisms(),
        "together": together(),
        "levers": levers(),
        "speed": speed(),
        "cold": cold(),
        "input": inputs(),
        "noise": noise(),
        "controls": controls(),
        "diversity": diversity(),
    }
    return {f"evidence/{name}.svg": text for name, text in made.items()}


def tables() -> dict[str, str]:
    """Path below docs/ to Markdown."""
    made = {}
    for name, (title, sources) in TABLES.items():
        parts = [
            MADE.replace("from the source; edit the docstrings there", "from benchmarks/results"),
            f"# {title}\n",
        ]
        if len(sources) == 1:
            parts.append(READING)
        for source in sources:
            head = f"## {HEADS[source]}\n\n" if source in HEADS else ""
            program = "controls" if source.startswith("controls") else source.partition("-")[0]
            made_by = f"Made by `benchmarks/claims/{program}.py`.\n\n"
            parts.append(head + made_by + (CLAIMS / f"{source}.md").read_text("utf-8").strip() + "\n")
        made[f"evidence/tables/{name}.md"] = "\n".join(parts)
    return made


def recipes() -> str:
    """The model against the best baseline, recipe by recipe."""
    marks = []
    for file in sorted(RESULTS.glob("*.json")):
        found = json.loads(file.read_text("utf-8"))
        (task,) = found["seeds"][0]["test"]
        own = mean(seed["test"][task]["ndcg@10"] for seed in found["seeds"])
        system = max(found["baselines"], key=lambda name: found["baselines"][name][task]["ndcg@10"])
        best = found["baselines"][system][task]["ndcg@10"]
        name = file.stem.replace("movielens_1m", "ML-1M").replace("amazon_beauty", "Beauty")
        name = (
            name.replace("amazon_sports", "Sports")
            .replace("_", " ")
            .replace("recurrent attention", "rec. att.")
        )
        marks.append(Mark(name, own, f"{own:.3f}", strong=True))
        marks.append(Mark(f"{system}", best, f"{best:.3f}"))
    return plot("NDCG@10 of each recipe and of its best baseline", "NDCG@10, test part", marks, bars=True)


def mechanisms() -> str:
    """What the sparsest task gains under each mechanism, log by log."""
    marks = []
    for log, (title, task) in LOGS.items():
        found = _grid(log)
        for place, (name, row) in enumerate(
            (name, row) for name, row in found["mechanisms"].items() if name in THRICE and row["seeds"] == 3
        ):
            change = row["tasks"][task]
            scale = 100 / abs(change["alone"])
            ends = change["interval"]["low"] * scale, change["interval"]["high"] * scale
            words = _percent(change["percent"])
            heading = f"{title}: {task}" if place == 0 else ""
            marks.append(Mark(name, change["percent"], words, ends, name == "gated slots", heading))
    return plot(
        "Change of the sparsest task against being trained alone, by mechanism and log",
        "change against trained alone, %",
        marks,
        bars=False,
    )


def together() -> str:
    """What every task gains under gated slots."""
    marks = []
    for log, (title, _) in LOGS.items():
        for place, (task, change) in enumerate(_grid(log)["mechanisms"]["gated slots"]["tasks"].items()):
            scale = 100 / abs(change["alone"])
            ends = change["interval"]["low"] * scale, change["interval"]["high"] * scale
            marks.append(
                Mark(
                    task,
                    change["percent"],
                    _percent(change["percent"]),
                    ends,
                    change["verdict"] == "gains",
                    title if place == 0 else "",
                )
            )
    return plot(
        "Change of each task under gated slots against being trained alone",
        "change against trained alone, %",
        marks,
        bars=False,
    )


def levers() -> str:
    """What changing one lever brings on MovieLens-1M."""
    marks = []
    for cells in _rows(EVIDENCE / "levers.md", "| Variant"):
        if found := re.fullmatch(r"([-+][\d.]+) \(([-+][\d.]+) to ([-+][\d.]+)\)", cells[3]):
            value, low, high = map(float, found.groups())
            name = cells[0] if len(cells[0]) < 20 else cells[0][:19] + "…"
            marks.append(Mark(name, value, f"{value:+.3f}", (low, high), low > 0 or high < 0))
        elif cells[0] == "no times":
            break
    return plot(
        "Change of NDCG@10 by one lever, MovieLens-1M", "change of NDCG@10, validation", marks, bars=False
    )


def speed() -> str:
    """Targets a second in training, MovieLens-1M."""
    lines = [
        json.loads(line) for line in (RESULTS / "peers/ml1m-speed.jsonl").read_text("utf-8").splitlines()
    ]
    shown = {
        "intertask": "intertask",
        "replay-buckets": "RePlay, buckets",
        "replay": "RePlay",
        "rectools": "RecTools",
        "recbole": "RecBole",
    }
    marks = []
    for peer, title in shown.items():
        own = [
            line["interactions_per_second"]
            for line in lines
            if line["peer"] == peer and line["ok"] and line["stage"] == "train"
        ]
        marks.append(Mark(title, median(own), f"{median(own):,.0f}", strong=peer == "intertask"))
    return plot(
        "Targets a second in training, MovieLens-1M, equal model",
        "targets a second in training",
        marks,
        bars=True,
    )


def cold() -> str:
    """Transactions with a share of their events, alone and together."""
    marks = []
    for cells in _rows(CLAIMS / "sparse.md", "| Events"):
        heading = f"{cells[0].partition(',')[0]} of the transactions"
        marks.append(Mark("alone", float(cells[1]), cells[1], heading=heading))
        marks.append(Mark("together", float(cells[2]), cells[2], strong=True))
    return plot(
        "NDCG@10 of transactions with a share of their events",
        "NDCG@10 of transactions, RetailRocket",
        marks,
        bars=True,
    )


def inputs() -> str:
    """More input or more supervision."""
    marks = []
    for cells in _rows(CLAIMS / "two_by_two.md", "| Task"):
        names = (
            "own events, own task",
            "all events, own task",
            "own events, all tasks",
            "all events, all tasks",
        )
        for place, (name, value) in enumerate(zip(names, cells[1:5], strict=True)):
            marks.append(
                Mark(name, float(value), value, strong=place == 3, heading=cells[0] if place == 0 else "")
            )
    return plot("NDCG@10 by what is read and what is trained", "NDCG@10, RetailRocket", marks, bars=True)


def noise() -> str:
    """What is kept where a fifth of the events is random."""
    marks = []
    for cells in _rows(CLAIMS / "noise.md", "| Task"):
        if cells[1] == "20%":
            alone, both = (float(cell.rstrip("%")) for cell in cells[4:6])
            marks.append(Mark("alone", alone, cells[4], heading=cells[0]))
            marks.append(Mark("together", both, cells[5], strong=True))
    return plot(
        "Share of NDCG@10 that is kept with 20 % random events",
        "% of NDCG@10 kept with 20 % random events",
        marks,
        bars=True,
    )


def controls() -> str:
    """What a third task does to the next film."""
    marks = []
    for source, title in (("controls", "weight 1 each"), ("controls-labels", "weighted by labels")):
        for place, cells in enumerate(
            row for row in _rows(CLAIMS / f"{source}.md", "| Third") if row[1] == "gated slots"
        ):
            found = re.fullmatch(r"([-+][\d.]+) % \(([-+][\d.]+) to ([-+][\d.]+)\)", cells[2])
            assert found
            value, low, high = map(float, found.groups())
            marks.append(
                Mark(cells[0], value, f"{value:+.0f} %", (low, high), high < 0, title if place == 0 else "")
            )
    return plot(
        "Change of the next film by a third task", "change of NDCG@10 of the next film, %", marks, bars=False
    )


def diversity() -> str:
    """Coverage and diversity of the lists, alone and together."""
    marks = []
    for place, name in ((2, "coverage"), (4, "diversity")):
        for cells in _rows(CLAIMS / "diversity.md", "| Task"):
            if cells[1] in ("alone", "together"):
                heading = f"{name}: {cells[0]}" if cells[1] == "alone" else ""
                marks.append(
                    Mark(
                        cells[1], float(cells[place]), cells[place][:5], None, cells[1] == "together", heading
                    )
                )
    return plot(
        "Coverage and diversity of the lists", "share (coverage), 1 - cosine (diversity)", marks, bars=True
    )


def _percent(value: float) -> str:
    return f"{value:+.0f} %" if abs(value) >= 10 else f"{value:+.1f} %"


def _grid(log: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CLAIMS / f"grid-{log}.json").read_text("utf-8"))
    return found


def _rows(file: Path, head: str) -> list[list[str]]:
    """The rows of the first table with such a head."""
    lines = iter(file.read_text("utf-8").splitlines())
    for line in lines:
        if line.startswith(head):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows
