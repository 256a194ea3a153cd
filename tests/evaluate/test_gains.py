import json

import polars as pl
import pytest

from intertask.errors import DataError, ProtocolError
from intertask.evaluate.gains import Transfer, transfer
from intertask.evaluate.kept import keep
from intertask.evaluate.results import Evaluation
from intertask.events.evaluation import Evaluator
from intertask.report.plan import plan
from intertask.report.study_page import sentences
from tests import shop

COSINES = [[1.0, -0.4, 0.2], [-0.4, 1.0, -0.1], [0.2, -0.1, 1.0]]
TASKS = ["next", "buys", "liked"]


def run(folder, weights=100, quality=0.0, rank=0):
    """A run's folder as `train` and `evaluate` leave it, its answers and ranks moved by as much."""
    fitted = shop.recommender().fitted
    asked = Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1)
    folder.mkdir(parents=True)
    found = asked.run()
    moved = (
        pl.when(pl.col("metric") == "rank")
        .then((pl.col("value") + rank).clip(1))
        .otherwise(pl.col("value") + quality)
    )
    keep(found.with_targets(found.targets.with_columns(value=moved)), folder)
    lines = [
        {"event": "start", "weights": weights},
        {"event": "step", "seconds": 1.5},
        {"event": "validation", "seconds": 0.5},
        {"event": "gradients", "epoch": 0, "tasks": TASKS, "cosines": COSINES},
        {"event": "gradients", "epoch": 0, "tasks": TASKS[:2], "cosines": [[1.0, -0.6], [-0.6, 1.0]]},
        {"event": "gradients", "epoch": 1, "tasks": TASKS, "cosines": [[c / 2 for c in r] for r in COSINES]},
        {"event": "edges", "step": 4, "verdicts": [], "closed": {"buys": ["liked"], "next": ["liked"]}},
        {"event": "edges", "step": 8, "verdicts": [], "closed": {"buys": ["liked"]}},
    ]
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="module", autouse=True)
def _small_is_enough():
    """The shop has a dozen purchases, of which nothing would be said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intertask.evaluate.sufficiency.LEAST", 1)
        patch.setattr("intertask.evaluate.sufficiency.LEAST_UNITS", 1)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Together `liked` is 0.3 nats better than alone, and items rank five places lower."""
    place = tmp_path_factory.mktemp("study")
    together = [run(place / f"together-{seed}", 120, quality=0.1 * seed, rank=5) for seed in (2, 4)]
    alone = {task: [run(place / f"alone-{task}-{seed}") for seed in (2, 4)] for task in TASKS}
    matched = {task: [together[0], together[1]] for task in TASKS}
    return transfer("shop", [2, 4], together, alone, matched)


def test_each_task_is_set_against_itself_alone_averaged_over_seeds(found):
    tasks = {row.task: row for row in found.tasks}
    liked = tasks["liked"]
    assert liked.metric == "-log_loss" and liked.alone.verdict == "gains"
    assert liked.alone.difference == pytest.approx(0.3)
    assert liked.alone.by_seed == pytest.approx([0.2, 0.4])
    assert liked.alone.percent == pytest.approx(100 * 0.3 / -liked.alone.alone)
    spread = 0.1 * 2**0.5  # of the two seeds, widened as two are few
    assert (liked.alone.interval.low, liked.alone.interval.high) == pytest.approx(
        (0.3 - spread, 0.3 + spread)
    )
    assert tasks["next"].metric == "ndcg@10" and tasks["next"].alone.verdict == "loses"
    assert [row.matched.verdict for row in found.tasks] == ["no difference shown"] * 3


def test_the_worst_and_the_mean_are_over_the_tasks(found):
    percents = [row.alone.percent for row in found.tasks]
    assert found.mean_percent == pytest.approx(sum(percents) / 3)
    assert found.worst.alone.percent == min(percents)


def test_who_opposes_a_task_that_loses_is_to_be_detached(found):
    assert [row.task for row in found.losers] == ["next", "buys"]
    assert [row.opposed_by for row in found.tasks] == ["buys", "next", None]
    worst = min(found.losers, key=lambda row: row.alone.percent)
    assert found.to_detach == worst.opposed_by


def test_the_cosine_of_two_tasks_is_averaged_over_the_steps_that_had_both(found):
    assert found.cosines.tasks == TASKS
    assert found.cosines.mean[0][1:] == pytest.approx([-0.4, 0.15], abs=1e-4)
    assert [epoch[0][1] for epoch in found.cosines.by_epoch] == pytest.approx([-0.5, -0.2])


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["output", "output"], None),  # zero at different positions says nothing
        (["weights", "weights"], 0.0),
        (["output", "weights"], 0.0),
    ],
)
def test_a_cosine_of_nothing_is_blank_where_it_was_taken_at_the_trunks_output(tmp_path, kinds, expected):
    folder = run(tmp_path / "together", rank=5)
    lines = [
        {"event": "gradients", "epoch": 0, "tasks": ["next", "buys"], "cosines": [[1.0, 0.0], [0.0, 1.0]]}
        | ({"at": "weights"} if kind == "weights" else {})
        for kind in kinds
    ]
    journal = (folder / "journal.jsonl").read_text().splitlines()
    kept = [line for line in journal if '"gradients"' not in line]
    (folder / "journal.jsonl").write_text("\n".join([*kept, *map(json.dumps, lines)]) + "\n")
    alone = {task: [run(tmp_path / f"alone-{task}")] for task in TASKS}
    told = transfer("shop", [1], [folder], alone, alone)
    assert told.cosines.mean[0][1] == expected
    assert ("buys" in told.cosines.of("next")) == (expected is not None)


@pytest.mark.parametrize(
    ("cosines", "opposed"), [((-0.5, -0.6), "buys"), ((-0.9, 0.7), None), ((-0.9,), None)]
)
def test_a_gradient_that_points_against_a_task_by_chance_is_not_blamed(tmp_path, cosines, opposed):
    folder = run(tmp_path / "together", rank=5)
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    lines = [line for line in lines if line["event"] != "gradients"] + [
        {"event": "gradients", "epoch": 0, "tasks": ["next", "buys"], "cosines": [[1.0, c], [c, 1.0]]}
        for c in cosines
    ]
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    alone = {task: [run(tmp_path / f"alone-{task}")] for task in TASKS}
    told = transfer("shop", [1], [folder], alone, alone)
    rows = {row.task: row for row in told.tasks}
    assert rows["next"].alone.verdict == "loses" and rows["next"].opposed_by == opposed
    assert opposed or len(cosines) > 1 or "compared with others once" in " ".join(sentences(told))


def test_tasks_that_never_met_in_a_batch_are_not_compared(tmp_path):
    folder = run(tmp_path / "together", quality=-1.0, rank=5)
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    lines = [line for line in lines if line["event"] != "gradients"] + [
        {"event": "gradients", "epoch": 0, "tasks": ["next", "buys"], "cosines": [[1.0, c], [c, 1.0]]}
        for c in (0.5, 0.4)
    ]
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    alone = {task: [run(tmp_path / f"alone-{task}")] for task in TASKS}
    told = transfer("shop", [1], [folder], alone, alone)
    assert told.cosines.tasks == ["next", "buys"] and told.cosines.of("liked") == {}
    assert told.losers[-1].task == "liked"
    *_, of_buys, of_liked = sentences(told)
    assert "no gradient points against it" in of_buys and "was compared with no other" in of_liked


def test_a_run_without_its_journal_is_told_of_in_one_line(tmp_path):
    folder = run(tmp_path / "together")
    (folder / "journal.jsonl").unlink()
    with pytest.raises(DataError, match="expected the journal of the run, found none"):
        transfer("shop", [1], [folder], {"next": [folder]}, {"next": [folder]})


def test_cost_is_set_against_the_sum_of_single_models(found):
    assert (found.cost.weights_together, found.cost.weights_alone) == (120, 300)
    assert (found.cost.seconds_together, found.cost.seconds_alone) == (4.0, 12.0)


def test_closed_edges_are_those_of_the_weights_that_were_kept(found):
    assert found.closed_edges == {"buys": ["liked"]}


def test_runs_measured_in_another_way_are_refused(tmp_path):
    one, other = run(tmp_path / "one"), run(tmp_path / "other")
    evaluation = Evaluation.read(other / "evaluation.json")
    changed = evaluation.protocol.model_copy(update={"part": "validation"})
    evaluation.model_copy(update={"protocol": changed}).write(other / "evaluation.json")
    with pytest.raises(ProtocolError, match="the protocol of the joint run"):
        transfer("shop", [1], [one], {"next": [other]}, {"next": [one]})


def test_of_too_few_targets_nothing_is_said(found, tmp_path, monkeypatch):
    monkeypatch.setattr("intertask.evaluate.sufficiency.LEAST", 20)
    better, own = run(tmp_path / "together", quality=1.0, rank=5), run(tmp_path / "alone")
    told = transfer("shop", [1], [better], {"liked": [own], "buys": [own]}, {"liked": [own], "buys": [own]})
    assert [row.alone.verdict for row in told.tasks] == ["not judged"] * 2
    assert all("and a verdict needs 20" in row.alone.too_few for row in told.tasks)
    assert told.losers == [] and "liked: it has " in " ".join(plan(told))
    assert Transfer.model_validate_json(told.model_dump_json()) == told
