import io
import json

import numpy as np
import polars as pl
import pytest
import torch
from rich.console import Console

from intertask import Catalogue, EventLog
from intertask.cold import arriving as study
from intertask.cold import shown
from intertask.cold.arriving import arriving
from intertask.cold.measures import NATURAL, measured
from intertask.data.prepare import prepare
from intertask.errors import DataError, RequestError
from intertask.evaluate.config import ALONE, MODEL
from tests.cold.test_cold import Known, recipe

DAY = 86_400
START = 1_293_840_000  # 2011-01-01
GROUPS = 4


def log(seed=0, *, times=True):
    """Four months in which everybody stays in a group of items; each month brings new items to each group."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(160):
        for place in range(12):
            day = place * 10 + int(random.integers(10))
            rows.append((user, f"{user % GROUPS}-{random.integers(4 + day // 10)}", START + day * DAY))
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    found = EventLog.read(frame if times else frame.drop("time"), item="item", time="time" if times else None)
    ids = sorted({item for _, item, _ in rows})
    return prepare(
        found,
        catalogue=Catalogue.read(
            pl.DataFrame({"item": ids, "group": [item[0] for item in ids]}), categories=["group"]
        ),
    )


def test_a_month_trains_on_what_was_before_and_asks_for_what_was_there_by_then():
    sequences = log().sequences
    (start, stop), *others = study._cuts(sequences, 2)
    assert start == START + 59 * DAY and stop == others[0][0] == START + 90 * DAY  # March, then April
    split, targets = study._month(sequences, start, stop, 1_000)
    training = split.training(sequences)
    assert training.times.max() < start
    assert not np.isin(np.flatnonzero(targets.cold_I), training.items).any()
    assert ((targets.times >= start) & (targets.times < stop)).all()
    assert targets.cold.any() and not targets.cold.all()
    first = {item: int(sequences.times[sequences.items == item].min()) for item in set(targets.items)}
    assert all(targets.since_I[item] == time for item, time in first.items())


def test_an_item_is_a_candidate_from_its_first_event_on():
    sequences = log().sequences
    _, targets = study._month(sequences, *study._cuts(sequences, 1)[0], 1_000)
    best = np.zeros((len(targets), sequences.num_items), np.float32)
    best[:, targets.cold_I] = 1  # all new items above all others, those that come later as well
    found = measured(Known(torch.from_numpy(best)), targets, 1.0, masked=False)
    warm = np.flatnonzero(~targets.cold)
    there = (targets.since_I[None] <= targets.times[warm, None])[:, targets.cold_I].sum(1)
    ranks = there + int(targets.warm_I.sum())
    expected = np.where(ranks <= 20, 1 / np.log2(1 + ranks), 0)
    np.testing.assert_allclose(found.ndcg[warm, NATURAL], expected)
    cold = np.flatnonzero(targets.cold)
    there = (targets.since_I[None] <= targets.times[cold, None])[:, targets.cold_I].sum(1)
    np.testing.assert_allclose(found.ndcg[cold, NATURAL], 1 / np.log2(1 + there))  # ties count against it
    several = there > 1
    assert several.any() and found.auc[cold][several] == pytest.approx(0.5)


def test_a_log_without_a_new_item_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(study, "_systems", lambda *_: pytest.fail("trained"))
    rows = [(user, f"{(user + day) % 13}", START + day * 9 * DAY) for user in range(20) for day in range(12)]
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    items = Catalogue.read(
        pl.DataFrame({"item": [f"{n}" for n in range(13)], "group": ["a", *"bcd" * 4]}), categories=["group"]
    )
    corpus = prepare(EventLog.read(frame, item="item", time="time"), catalogue=items)
    with pytest.raises(DataError, match="new items: expected a target that is a new item, found none"):
        arriving(recipe(), corpus, months=2)


def test_new_items_are_found_by_content_and_the_months_are_pooled():
    ranker = {"kind": "blend", "sources": {"content": "content"}, "events": 60, "candidates": 10}
    train = {"epochs": 3, "workers": 0, "learning_rate": 0.03}
    own = recipe(ranker=ranker, evaluation={"history": ["masked"]}, train=train)
    found = arriving(own, log(), months=2)
    assert found.months == ("2011-03", "2011-04")
    table = {row["system"]: row for row in found.table().to_dicts()}
    assert {MODEL, ALONE, "popularity", "content to the last", "random"} <= table.keys()
    assert table[MODEL]["AUC within new"] > 0.8
    assert table[MODEL]["new NDCG@20"] > table["popularity"]["new NDCG@20"]
    assert table[MODEL]["low"] <= table[MODEL]["new NDCG@20"] <= table[MODEL]["high"]
    console = Console(width=240, record=True, file=io.StringIO())
    shown.show_arriving(found, console)
    text = console.export_text()
    assert "2011-03, 2011-04" in text and ("prove nothing" in text) == found.describes
    told = json.loads(json.dumps(shown.arriving_as_json(found), allow_nan=False))
    assert told["targets"] == int(found.new.sum()) and len(told["systems"]) == len(table)


@pytest.mark.parametrize(
    ("changes", "months", "error", "words"),
    [
        ({"items": "table"}, 1, RequestError, "items made of a catalogue"),
        ({}, 25, RequestError, "1 to 24 months"),
        ({}, 4, DataError, "events before the last 4 months"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(changes, months, error, words):
    with pytest.raises(error, match=words):
        arriving(recipe(**changes), log(), months=months)


def test_a_log_without_times_or_an_unknown_task_is_refused():
    with pytest.raises(DataError, match="a log with times"):
        arriving(recipe(), log(times=False))
    with pytest.raises(RequestError, match="one of next"):
        arriving(recipe(), log(), task="buy")
