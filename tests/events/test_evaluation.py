import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from intertask import EventLog, Recipe, Recommender
from intertask.errors import LeakageError, TrainingError
from intertask.evaluate.choosing import Basis
from intertask.evaluate.kept import keep
from intertask.evaluate.validation import default_monitor, over_tasks
from intertask.events.evaluation import Evaluator
from intertask.events.splits import TimeSplit
from intertask.events.systems import ModelSystem
from intertask.events.validation import Validator
from intertask.fitting.assessment import item_tags
from intertask.metrics.ranking import ndcg
from intertask.model import ModelConfig
from tests import shop


def evaluator(model=None, split=None, part="test", trained=None, corpus=None, **changes):
    fitted = shop.recommender().fitted
    config = shop.recipe().evaluation.model_copy(update=changes)
    return Evaluator(
        "shop",
        model or fitted.model,
        corpus or shop.corpus(),
        split or fitted.split,
        config,
        1,
        item_tags(shop.catalogue(), shop.corpus()),
        part,
        trained,
    )


@pytest.fixture(scope="module")
def evaluated():
    asked = evaluator()
    return asked, asked.run()


class Oracle:
    """The trained model with its scores replaced: the very next item best, or all items alike."""

    def __init__(self, asked: Evaluator, monkeypatch, constant: bool) -> None:
        items = torch.from_numpy(asked.sequences.items[asked.targets].astype(np.int64))

        def score(system, task, rows):
            scores = torch.zeros(len(rows), asked.sequences.num_items)
            if not constant:
                scores[torch.arange(len(rows)), items[torch.from_numpy(rows)]] = 1.0
            return scores

        monkeypatch.setattr("intertask.events.systems.ModelSystem.score", score)


RANX = {"hr": "hit_rate", "ndcg": "ndcg", "mrr": "mrr", "recall": "recall", "map": "map"}


def rows_of(found, system, task="next", history="masked", name="all"):
    return [
        row
        for row in found.rankings
        if (row.system, row.task, row.history, row.slice) == (system, task, history, name)
    ]


def test_a_perfect_model_scores_1_and_beats_every_baseline(monkeypatch):
    asked = evaluator()
    Oracle(asked, monkeypatch, constant=False)
    found = asked.run()
    own = [row for row in found.rankings if row.system == "intertask"]
    assert {value for row in own for value in row.metrics.values()} == {1.0}
    assert {(i.low, i.high) for row in own for i in row.intervals.values()} == {(1.0, 1.0)}
    by_name = {
        (d.baseline, d.metric): d for d in found.differences if d.task == "next" and d.history == "kept"
    }
    assert by_name["popularity", "ndcg@5"].difference > 0
    assert by_name["popularity", "ndcg@5"].verdict == "better"


def test_a_constant_model_is_ranked_last(monkeypatch):
    asked = evaluator()
    Oracle(asked, monkeypatch, constant=True)
    found = asked.run()
    (row,) = rows_of(found, "intertask", history="kept")
    assert set(row.metrics.values()) == {0.0}
    worse = [d for d in found.differences if d.baseline == "transition" and d.metric == "ndcg@5"]
    assert all(d.difference <= 0 for d in worse)
    assert any(d.verdict == "worse" for d in worse)
    ranks = found.targets.filter(pl.col("system") == "intertask", pl.col("setting") == "kept")
    assert set(ranks["value"]) == {shop.NUM_ITEMS} and set(ranks["metric"]) == {"rank"}


def test_every_system_stands_in_the_table_for_every_task_and_history(evaluated):
    _, found = evaluated
    for task in ("next", "buys"):
        for history in ("masked", "kept"):
            rows = [
                rows_of(found, system, task, history) for system in ("intertask", "popularity", "transition")
            ]
            assert [len(row) for row in rows] == [1, 1, 1]
            assert len({row[0].count for row in rows}) == 1
    assert {row.system for row in found.lists} == {"intertask", "popularity", "transition"}
    assert {d.baseline for d in found.differences if d.history} == {"popularity", "transition"}
    assert {f"{name}, ranking" for name in ("intertask", "popularity", "transition")} <= set(found.seconds)


def test_metrics_and_differences_are_those_of_the_ranks(evaluated):
    _, found = evaluated
    ranks = found.targets
    for task in ("next", "buys"):
        for history in ("masked", "kept"):
            group = ranks.filter(pl.col("task") == task, pl.col("setting") == history)
            values = {
                system: ndcg(own["value"].to_numpy().astype(int), 5).mean()
                for (system,), own in group.group_by("system", maintain_order=True)
            }
            for system, value in values.items():
                (row,) = rows_of(found, system, task, history)
                assert row.metrics["ndcg@5"] == pytest.approx(value)
                assert row.intervals["ndcg@5"].low <= value <= row.intervals["ndcg@5"].high
            for d in found.differences:
                if (d.task, d.history, d.metric) == (task, history, "ndcg@5"):
                    assert d.difference == pytest.approx(values["intertask"] - values[d.baseline])


def test_a_task_of_a_behaviour_is_asked_about_targets_of_it_alone(evaluated):
    asked, found = evaluated
    sequences, targets = asked.sequences, asked.targets
    bought = sequences.behaviours[targets] == shop.corpus().behaviours.index("buy")
    assert rows_of(found, "intertask", "buys", "kept")[0].count == bought.sum()
    assert rows_of(found, "intertask", "buys", "masked")[0].count == (bought & ~asked.seen).sum()
    assert rows_of(found, "intertask", "next", "kept")[0].count == len(targets)
    group = found.targets.filter(pl.col("task") == "buys", pl.col("setting") == "kept")
    assert set(group["target"]) == set(targets[bought].tolist())


def test_visited_targets_that_are_masked_are_left_out_and_noted(evaluated):
    asked, found = evaluated
    left_out = int(asked.seen.sum())
    assert left_out > 0
    note = (
        f"task next: with the history masked, {left_out} of {len(asked.targets)} targets stand in it and are "
        "left out"
    )
    assert found.notes.count(note) == 1
    assert f'{note}; history = ["kept"] asks for them' in evaluator(history=("masked",)).run().notes
    assert rows_of(found, "intertask", "next", "masked")[0].count == len(asked.targets) - left_out
    assert not any("masked" in note for note in evaluator(history=("kept",)).run().notes)


def test_a_task_without_targets_is_noted_and_not_invented():
    asked = evaluator()
    asked.targets = asked.targets[asked.sequences.behaviours[asked.targets] != 0]
    asked.seen = np.zeros(len(asked.targets), dtype=bool)
    found = asked.run()
    assert "task buys, history kept: no targets" in found.notes
    assert not [row for row in found.rankings if row.task == "buys"]


def test_responses_stand_beside_the_base_rate_and_the_items_means(evaluated):
    asked, found = evaluated
    assert [row.system for row in found.responses] == ["intertask", "base rate", "item mean"]
    labels = asked.sequences.labels["liked"]
    known = labels[asked.targets][~np.isnan(labels[asked.targets])]
    trained = asked.training.labels["liked"]
    rate = trained[~np.isnan(trained)].mean()
    base = found.responses[1]
    assert base.count == len(known) < len(asked.targets)
    expected = -(known * np.log(rate) + (1 - known) * np.log(1 - rate)).mean()
    assert base.metrics["log_loss"] == pytest.approx(expected, rel=1e-5)
    assert base.metrics["auc"] == 0.5
    assert found.responses[2].metrics["auc"] == 1.0  # in the shop the item alone decides
    against = [row for row in found.differences if row.task == "liked"]
    assert [(row.baseline, row.metric, row.history) for row in against] == [
        ("base rate", "-log_loss", ""),
        ("item mean", "-log_loss", ""),
    ]
    for row, other in zip(against, found.responses[1:], strict=True):
        gain = other.metrics["log_loss"] - found.responses[0].metrics["log_loss"]
        assert row.difference == pytest.approx(gain, abs=1e-6)
        assert row.interval.low < row.difference < row.interval.high


def test_evaluation_is_deterministic(evaluated):
    _, first = evaluated
    second = evaluator().run()
    drop = {"seconds": True, "provenance": True}
    assert first.model_dump_json(exclude=drop) == second.model_dump_json(exclude=drop)


def test_evaluation_does_not_depend_on_the_size_of_its_batches(evaluated, monkeypatch):
    _, whole = evaluated
    monkeypatch.setattr("intertask.events.ranking.SCORES_IN_MEMORY", 4 * shop.NUM_ITEMS)
    monkeypatch.setattr("intertask.events.systems.ModelSystem.__init__.__defaults__", (12,))
    pieces = evaluator().run()
    assert pieces.rankings == whole.rankings
    assert pieces.lists == whole.lists
    # A sum in another order: the last digits of a float32 may differ, a rank may not.
    for one, other in zip(whole.responses, pieces.responses, strict=True):
        assert one.metrics == pytest.approx(other.metrics, abs=1e-6)
    for one, other in zip(whole.differences, pieces.differences, strict=True):
        assert one.difference == pytest.approx(other.difference, abs=0 if one.history else 1e-6, rel=0)


# numba, under ranx, warns of ranx's own casts while it compiles; that is not ours to mend.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("scores", "tokens"), [(2**22, 16384), (1, 12), (4 * shop.NUM_ITEMS, 40)])
def test_metrics_are_those_of_ranx_whatever_the_size_of_the_batches(scores, tokens, monkeypatch):
    ranx = pytest.importorskip("ranx")
    monkeypatch.setattr("intertask.events.ranking.SCORES_IN_MEMORY", scores)
    monkeypatch.setattr("intertask.events.systems.ModelSystem.__init__.__defaults__", (tokens,))
    asked = evaluator()
    found = asked.run()
    system = ModelSystem(asked.model, asked.sequences, asked.targets, tokens=16384)
    table = system.score("next", np.arange(len(asked.targets))).double().tolist()
    items = asked.sequences.items[asked.targets].tolist()
    relevant = ranx.Qrels({f"q{row}": {f"i{item}": 1} for row, item in enumerate(items)})
    listed = ranx.Run(
        {f"q{row}": {f"i{item}": score for item, score in enumerate(own)} for row, own in enumerate(table)}
    )
    names = {f"{name}@{k}": f"{theirs}@{k}" for k in (3, 5) for name, theirs in RANX.items()}
    expected = ranx.evaluate(relevant, listed, list(names.values()), return_mean=True)
    (row,) = rows_of(found, "intertask", history="kept")
    assert row.metrics.keys() == names.keys()
    for own, theirs in names.items():
        assert row.metrics[own] == pytest.approx(expected[theirs], abs=1e-6)


def test_a_nan_in_the_weights_is_refused_and_names_the_task():
    fitted = shop.recommender().fitted
    model = type(fitted.model)(fitted.model.config, fitted.model.dimensions)
    model.load_state_dict(fitted.model.state_dict())
    with torch.no_grad():
        model.items.weight_ID[3, 0] = float("nan")
    with pytest.raises(TrainingError, match="scores of intertask, task 'next': expected numbers, found NaN"):
        evaluator(model.eval()).run()


def test_what_the_linter_finds_stands_in_the_results(evaluated):
    asked, found = evaluated
    assert [finding.name for finding in found.findings] == ["future_training", "repeats"]
    assert found.findings == asked.findings
    assert found.fingerprint == found.protocol.fingerprint()
    (first, *_) = evaluator(part="validation").run().findings
    assert (first.name, first.severity) == ("choosing_part", "warning")


def test_labels_are_no_input(evaluated):
    _, found = evaluated
    sequences = shop.corpus().sequences
    other = replace(sequences, labels={"liked": 1 - sequences.labels["liked"]})
    assert evaluator(corpus=replace(shop.corpus(), sequences=other)).run().rankings == found.rankings


def test_a_model_that_was_trained_on_something_else_is_never_evaluated():
    split = shop.recommender().fitted.split
    trained = split.training(shop.corpus().sequences)
    counts = np.bincount(trained.items, minlength=shop.NUM_ITEMS)[None]
    assert evaluator(trained=counts).findings == evaluator().findings
    with pytest.raises(LeakageError, match=r"test part: expected .* found a model that was trained on"):
        evaluator(trained=np.roll(counts, 1))


def test_a_leaking_split_is_never_evaluated():
    split = shop.recommender().fitted.split
    with pytest.raises(LeakageError, match="validation targets after the user's training events"):
        evaluator(split=replace(split, train_stop=split.train_stop + 1))


def test_validation_and_test_are_different_targets_and_protocols(evaluated):
    _, test = evaluated
    validation = evaluator(part="validation").run()
    assert (test.protocol.part, validation.protocol.part) == ("test", "validation")
    assert test.protocol.fingerprint() != validation.protocol.fingerprint()
    assert validation.rankings != test.rankings


def test_the_validator_agrees_with_the_evaluation_of_the_validation_part():
    fitted, corpus = shop.recommender().fitted, shop.corpus()
    k = (10,)
    found = evaluator(part="validation", k=k).run()
    validator = Validator(corpus.sequences, fitted.split, corpus.behaviours, "masked", limit=10_000)
    metrics = validator(fitted.model)
    assert set(validator.names(fitted.model.config)) <= set(metrics)
    for task in ("next", "buys"):
        row = rows_of(found, "intertask", task)
        assert metrics[f"{task}/ndcg@10"] == pytest.approx(row[0].metrics["ndcg@10"])
    assert metrics["liked/-log_loss"] == pytest.approx(-found.responses[0].metrics["log_loss"])
    assert metrics[default_monitor(fitted.model.config)] == metrics["all"]


@pytest.mark.parametrize("history", ["masked", "kept"])
def test_edges_are_judged_by_how_targets_of_every_other_user_are_answered(history):
    fitted, corpus = shop.recommender().fitted, shop.corpus()
    asked = evaluator(part="validation", history=(history,))
    targets = asked.run().targets
    validator = Validator(corpus.sequences, fitted.split, corpus.behaviours, history, limit=10_000)
    own = (pl.col("system") == "intertask") & (pl.col("unit") % 2 == 1)
    targets = targets.filter(own).sort("target")
    for task in ("next", "buys"):
        found, users = validator.calibration(fitted.model, task)
        expected = targets.filter(pl.col("task") == task)
        assert users.tolist() == expected["unit"].to_list() and len(users) > 1
        assert found == pytest.approx(1 / np.log2(expected["value"].to_numpy() + 1))  # without a cut
    found, users = validator.calibration(fitted.model, "liked")
    expected = targets.filter(pl.col("task") == "liked")
    assert users.tolist() == expected["unit"].to_list()
    assert found == pytest.approx(expected["value"].to_numpy())


def test_a_limited_validation_asks_all_runs_for_the_same_targets():
    fitted, corpus = shop.recommender().fitted, shop.corpus()

    def drawn(limit):
        return Validator(corpus.sequences, fitted.split, corpus.behaviours, "masked", limit).targets.tolist()

    every = fitted.split.validation.tolist()
    assert drawn(5) == drawn(5) == sorted(set(drawn(5))) and len(drawn(5)) == 5
    assert set(drawn(5)) < set(every) and drawn(5) != every[:5]
    assert drawn(10_000) == every


def test_successive_targets_of_a_time_split_are_evaluated_each():
    split = TimeSplit(train=0.6, validation=0.2, targets="successive").split(shop.corpus().sequences)
    found = evaluator(split=split).run()
    assert rows_of(found, "intertask", history="kept")[0].count == len(split.test) > shop.NUM_USERS / 2
    assert "successive" in found.protocol.split


def test_what_was_written_is_read_back(evaluated, tmp_path):
    _, found = evaluated
    keep(found, tmp_path)
    assert type(found).read(tmp_path / "evaluation.json") == found
    json.loads((tmp_path / "evaluation.json").read_text())
    assert pl.read_parquet(tmp_path / "targets.parquet").equals(found.targets)


def test_the_metric_over_all_tasks_counts_a_percent_alike_for_each():
    config = ModelConfig.model_validate(
        {
            "tasks": {
                "next": {"kind": "next_item"},
                "liked": {"kind": "response", "label": "liked"},
                "stars": {"kind": "response", "label": "rating", "form": "regression"},
                "unasked": {"kind": "next_item"},
            }
        }
    )
    found = {
        "next/ndcg@10": 0.2,
        "next/hr@10": 0.5,
        "liked/-log_loss": -0.5,
        "liked/auc": 0.9,
        "stars/-rmse": -2.0,
    }
    enough = dict.fromkeys(config.tasks, Basis(500))
    whole = over_tasks(found, config.tasks, enough)
    assert whole == pytest.approx((0.2 * (1 / 0.5) * (1 / 2.0)) ** (1 / 3))
    for name in ("next/ndcg@10", "liked/-log_loss", "stars/-rmse"):
        better = found | {name: found[name] * (1.1 if found[name] > 0 else 1 / 1.1)}
        assert over_tasks(better, config.tasks, enough) == pytest.approx(whole * 1.1 ** (1 / 3))
    assert over_tasks(found | {"next/ndcg@10": 0.0}, config.tasks, enough) > 0
    assert np.isnan(over_tasks({}, config.tasks, enough))


def test_a_task_with_few_targets_counts_by_less_where_all_choose_the_epoch():
    tasks = ModelConfig.model_validate({"tasks": {name: {"kind": "next_item"} for name in "ab"}}).tasks
    bases = {"a": Basis(1000), "b": Basis(50)}
    found = {"a/ndcg@10": 0.1, "b/ndcg@10": 0.2}
    whole = over_tasks(found, tasks, bases)
    assert over_tasks(found | {"a/ndcg@10": 0.11}, tasks, bases) == pytest.approx(whole * 1.1 ** (1 / 1.1))
    assert over_tasks(found | {"b/ndcg@10": 0.22}, tasks, bases) == pytest.approx(whole * 1.1 ** (0.1 / 1.1))
    assert over_tasks({"b/ndcg@10": 0.2}, tasks, {"b": Basis(9, 0)}) == pytest.approx(0.2)


def test_lists_of_one_item_have_no_diversity():
    """Three items of which the history has two: with the history masked one candidate is left."""
    frame = pl.DataFrame({"user": [u for u in "abcd" for _ in range(4)], "item": [0, 0, 1, 2] * 4})
    recipe = Recipe.model_validate({"width": 8, "train": {"epochs": 1}})
    model = Recommender(recipe).fit(EventLog.read(frame))
    found = Evaluator(
        "tiny", model.model, model.fitted.corpus, model.fitted.split, recipe.evaluation, 1
    ).run()
    assert all("coverage@10" in row.metrics and "diversity@10" not in row.metrics for row in found.lists)
