"""People who are held out whole."""

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from intertask import EventLog, Recipe
from intertask.cold import shown
from intertask.cold.users import SHOWN, NewUsers, _of, _targets, new_users
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.errors import DataError, RequestError
from intertask.evaluate.config import MODEL

ITEMS = 12


def world(users: int = 50, minutes: int = 1) -> Corpus:
    """After an item always comes the next one in a circle; so many events share a moment."""
    random = np.random.default_rng(0)
    starts = random.integers(ITEMS, size=users)
    rows = [
        (user, f"i{(starts[user] + place) % ITEMS:02}", place // minutes)
        for user in range(users)
        for place in range(9)
    ]
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    return prepare(EventLog.read(frame.with_columns(pl.col("time") * 60 + 1_600_000_000), time="time"))


def recipe(**changes: object) -> Recipe:
    base = {
        "width": 8,
        "max_length": 8,
        "encoder": "gru",
        "train": {"epochs": 3, "workers": 0, "learning_rate": 0.1, "batch_tokens": 64, "refit": False},
        "evaluation": {"history": ["kept"]},
    }
    return Recipe.model_validate(base | changes)


def test_a_model_knows_what_comes_next_for_people_it_has_never_seen():
    found = new_users(recipe(), world())
    assert found.people == 10 and set(found.ranks) == set(SHOWN)
    table = found.table()
    own = dict(table.filter(system=MODEL).select("events shown", "NDCG@10").iter_rows())
    assert min(own[3], own[5]) > 0.6 > own[0]
    transition = table.filter(pl.col("system") == "transition", pl.col("events shown") == 1)
    assert transition["NDCG@10"].item() > 0.9
    against = table.filter(pl.col("system") == "popularity", pl.col("events shown") == 3)
    assert against[f"{MODEL} less it"].item() > 0.2 and against["less low"].item() > 0


def test_nothing_of_the_people_held_out_is_trained_on():
    corpus = world()
    kept = np.arange(corpus.sequences.num_users) % 5 > 0
    left = _of(corpus, kept)
    assert left.users.ids.to_list() == corpus.users.ids.filter(pl.Series(kept)).to_list()
    assert left.sequences.num_events == 9 * kept.sum()
    owner = np.repeat(kept, corpus.sequences.lengths)
    assert np.array_equal(left.sequences.items, corpus.sequences.items[owner])


def test_a_target_is_later_than_what_is_shown():
    sequences = world(minutes=3).sequences
    everybody, known = np.arange(sequences.num_users), np.ones(ITEMS, bool)
    for number, place in ((0, 0), (1, 3), (3, 3), (5, 6)):
        windows, targets = _targets(sequences, everybody, number, known, False)
        assert (windows.lengths == number).all()
        assert (targets - windows.starts == place).all()
    assert len(_targets(sequences, everybody, 7, known, False)[1]) == 0  # nothing is later than the seventh
    no_clock = replace(sequences, times=None)
    assert (_targets(no_clock, everybody, 1, known, False)[1] - sequences.offsets[:-1] == 1).all()


def test_items_that_nobody_else_had_and_those_had_before_are_not_asked_for():
    sequences = world(users=20).sequences
    everybody, known = np.arange(20), np.arange(ITEMS) != 4
    _, targets = _targets(sequences, everybody, 2, known, False)
    assert 4 not in sequences.items[targets] and 0 < len(targets) < 20
    again = replace(sequences, items=np.zeros_like(sequences.items))
    assert len(_targets(again, everybody, 1, known, True)[1]) == 0
    assert len(_targets(again, everybody, 1, known, False)[1]) == 20


def test_what_cannot_be_asked_is_refused_in_a_line():
    with pytest.raises(RequestError, match="one of next"):
        new_users(recipe(), world(), task="buy")
    with pytest.raises(RequestError, match="above 0"):
        new_users(recipe(), world(), share=0.9)
    one = prepare(EventLog.read(pl.DataFrame({"user": [1, 1, 1], "item": ["a", "b", "a"]})))
    with pytest.raises(DataError, match="two people"):
        new_users(recipe(), one)


def test_the_table_is_shown():
    ranks = {0: {MODEL: np.array([1, 3, 50]), "popularity": np.array([2, 2, 2])}}
    found = NewUsers(3, {0: np.arange(3)}, ranks)
    console = Console(width=200, record=True, file=io.StringIO())
    shown.show_people(found, console)
    text = console.export_text()
    assert "3 people held out whole" in text and "popularity" in text and "0.5000" in text
