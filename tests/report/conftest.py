import json
from pathlib import Path

import pytest

from intertask.evaluate.protocol import EventsProtocol
from intertask.evaluate.results import (
    CalibrationBin,
    DifferenceRow,
    Evaluation,
    Finding,
    Interval,
    ListRow,
    Provenance,
    ScoreRow,
    TradeoffRow,
)

HOSTILE = "<script>alert('x')</script> & \"$y_1$\""


def difference(baseline: str, value: float, low: float, high: float, task: str = "next") -> DifferenceRow:
    interval = Interval(low=low, high=high)
    return DifferenceRow(
        task=task, history="masked", baseline=baseline, metric="ndcg@10", difference=value, interval=interval
    )


def _ranking(system: str, task: str, name: str, count: int, base: float) -> ScoreRow:
    metrics = {
        "hr@5": base * 1.1,
        "hr@10": base * 2,
        "ndcg@10": base,
        "mrr@10": base * 0.7,
        "map@10": base * 0.69,
    }
    intervals = {metric: Interval(low=value * 0.91, high=value * 1.07) for metric, value in metrics.items()}
    return ScoreRow(
        system=system,
        task=task,
        history="masked",
        slice=name,
        count=count,
        metrics=metrics,
        intervals=intervals,
    )


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """Two tasks, three baselines with one hostile name, slices, lists and both kinds of response."""
    systems = {"intertask": 0.0823, "ease": 0.0712, "popularity of the recent past": 0.0391, HOSTILE: 0.0207}
    slices = ["all", "history 5-9", "history 10-19", "item popularity top 10 %", "visited", "unvisited"]
    rankings = [
        _ranking(system, task, name, 943 - 7 * place, base * (1 + 0.013 * place) * share)
        for task, share in (("next", 1.0), ("buy", 0.53))
        for place, name in enumerate(slices)
        for system, base in systems.items()
    ]
    bins = [
        CalibrationBin(predicted=0.1 * i + 0.05, observed=0.09 * i + 0.07, count=11 * i) for i in range(10)
    ]
    return Evaluation(
        model="gru on shop",
        protocol=EventsProtocol(
            data="ab12" * 16,
            split="leave_one_out",
            part="test",
            history="masked",
            candidates="all items, 1682",
            query_time=False,
            num_targets=943,
        ),
        provenance=Provenance(
            seed=17,
            commit="c0ffee" * 4,
            version="0.1.0",
            command="intertask evaluate runs/gru --part test",
            date="2026-03-02",
            machine="2 cores, x86_64",
        ),
        rankings=rankings,
        lists=[
            ListRow(system=system, task="next", history="masked", metrics={"coverage@10": base})
            for system, base in systems.items()
        ],
        differences=[
            difference("ease", 0.0111, 0.0021, 0.0204),
            difference(HOSTILE, 0.0616, 0.0503, 0.0727),
            difference("ease", -0.0107, -0.0211, -0.0009, task="buy"),
        ],
        responses=[
            ScoreRow(
                system="intertask",
                task="liked",
                count=942,
                metrics={"auc": 0.7812, "log_loss": 0.5611},
                calibration=bins,
            ),
            ScoreRow(system="base rate", task="liked", count=942, metrics={"auc": 0.5, "log_loss": 0.69}),
            ScoreRow(system="intertask", task="rating", count=942, metrics={"rmse": 0.9114}),
        ],
        tradeoffs=[
            TradeoffRow(
                first=HOSTILE,
                second="buy",
                history="masked",
                weight=weight,
                ndcg={HOSTILE: 0.1234 - weight / 100, "buy": 0.2345 + weight / 50},
            )
            for weight in (0.0, 0.5, 1.0)
        ],
        fingerprint="left as it is",
        findings=[
            Finding(
                name="ties",
                severity="warning",
                share=0.44,
                text=f"415 of 943 targets {HOSTILE} tie.",
                advice="Use an order column.",
            ),
            Finding(name="unseen", severity="note", text="4 of 1,682 candidates.", advice="Nothing helps."),
        ],
        notes=[f"als was cut short {HOSTILE}"],
        seconds={"intertask": 142.3, "ease": 3.4},
    )


def journal_lines() -> list[str]:
    events: list[dict[str, object]] = [{"event": "start"}]
    for epoch in range(3):
        for step in range(epoch * 20, epoch * 20 + 20):
            losses = {"next": 7.0 - 0.02 * step, "liked": 0.7 - 0.001 * step}
            events.append(
                {
                    "event": "step",
                    "epoch": epoch,
                    "step": step,
                    "losses": losses,
                    "total": 7.5,
                    "learning_rate": 0.001,
                    "tokens": 4096,
                    "seconds": 0.25,
                }
            )
        metrics = {"next/ndcg@10": 0.0417 + 0.01 * epoch, "liked/auc": 0.71}
        events.append(
            {
                "event": "validation",
                "epoch": epoch,
                "step": step,
                "metrics": metrics,
                "best": epoch < 2,
                "seconds": 1.5,
            }
        )
    events.append({"event": "stop", "reason": "early stop, no better ndcg@10 for 1 epochs", "best_epoch": 1})
    return [json.dumps(event) for event in events]


def lay_out(folder: Path, evaluation: Evaluation) -> Path:
    evaluation.write(folder / "evaluation.json")
    (folder / "journal.jsonl").write_text("\n".join(journal_lines()) + "\n", encoding="utf-8")
    (folder / "recipe.toml").write_text('# gru\n[encoder]\nkind = "gru"  # <wide>\n', encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path, evaluation: Evaluation) -> Path:
    """A run folder as training and evaluation leave it."""
    return lay_out(tmp_path, evaluation)
