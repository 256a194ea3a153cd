"""Answers as arrays: what a service asks for, many requests at once and each with its own rules."""

import warnings

import numpy as np
import polars as pl
import pytest
import torch

from intertask import Recommender
from intertask.answering.rules import Ignored, Rules, banned_items
from intertask.errors import RequestError
from intertask.terminal.progress import Epoch
from tests import shop

USERS = [shop.user_id(number) for number in range(8)]


@pytest.fixture(scope="module")
def model():
    return shop.recommender()


def lists(model, ranked):
    """The ids of each row."""
    rows = zip(ranked.items_BK, ranked.filled_BK, strict=True)
    return [model.answerer.reader.items.decode(items[filled]).to_list() for items, filled in rows]


def test_arrays_hold_what_the_frame_does(model):
    asked = model.answerer.reader.read(USERS, None)
    ranked = model.answerer.rank(asked, "next", Rules(4, True, None), None)
    frame = model.recommend(users=USERS, k=4, task="next", exclude_seen=True)
    by_user = frame.group_by("user", maintain_order=True).agg("item", "score")
    assert lists(model, ranked) == by_user["item"].to_list()
    assert ranked.scores_BK.tolist() == by_user["score"].to_list()


def test_each_history_keeps_its_own_rules_and_its_own_moment(model):
    answerer = model.answerer
    asked = answerer.reader.read(USERS, None)
    seen = np.arange(len(USERS)) % 2 == 0
    banned = torch.zeros(len(USERS), shop.NUM_ITEMS, dtype=torch.bool)
    banned[torch.arange(len(USERS)), torch.arange(len(USERS))] = True
    ranked = answerer.rank(asked, "next", Rules(9, seen, banned), np.full(len(USERS), shop.START + 10**7))
    for row, found in enumerate(lists(model, ranked)):
        alone = model.recommend(
            users=USERS[row : row + 1],
            k=9,
            task="next",
            exclude_seen=bool(seen[row]),
            deny=answerer.reader.items.decode(np.array([row])),
        )
        assert found == alone["item"].to_list()


def test_unknown_ids_are_counted_without_a_warning(model):
    reader, trained = model.answerer.reader, model.answerer.trained
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        banned, ignored = banned_items(reader, trained, allow=["№1", "?", "!"], deny=["№2", "new"])
        asked = reader.read(None, [["№1", "?"], ["!"]])
    assert banned is not None and (~banned).nonzero().flatten().tolist() == [
        reader.item_places(["№1"], "items")[0]
    ]
    assert ignored == Ignored(allow=2, allowed=3, untrained=0, deny=1, denied=2)
    assert (asked.unknown, asked.given) == (2, 3)


def test_alike_are_the_items_whose_vectors_have_the_largest_cosine(model):
    found = model.similar(["№3", "№5"], k=4)
    assert found.columns == ["item", "rank", "similar", "score"]
    vectors = model.model.items.weight_ID.detach().numpy().astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = model.items["item"]
    for item in ("№3", "№5"):
        place = ids.to_list().index(item)
        cosines = pl.DataFrame({"similar": ids, "cosine": vectors @ vectors[place]})
        expected = cosines.filter(pl.col("similar") != item).top_k(4, by="cosine")
        own = found.filter(pl.col("item") == item)
        assert own["similar"].to_list() == expected["similar"].to_list()
        assert own["score"].to_list() == pytest.approx(expected["cosine"].to_list(), abs=1e-5)


def test_a_long_list_of_what_is_alike_never_holds_the_item_itself(model):
    assert model.similar(["№3"], k=shop.NUM_ITEMS).height == shop.NUM_ITEMS - 1
    assert model.similar([], k=3).is_empty()


def test_alike_to_an_unknown_item_is_refused(model):
    with pytest.raises(RequestError, match="items: expected items of the log, found '\\?'"):
        model.similar(["?"])


def test_epochs_are_told_as_the_journal_has_them(tmp_path):
    told: list[Epoch] = []
    model = Recommender(shop.recipe()).fit(shop.corpus(), run=tmp_path / "run", on_epoch=told.append)
    assert [epoch.number for epoch in told] == [0, 1] and {epoch.epochs for epoch in told} == {2}
    journal = pl.read_ndjson(tmp_path / "run" / "journal.jsonl", infer_schema_length=None)
    validated = journal.filter(pl.col("event") == "validation")["metrics"].to_list()
    assert [dict(epoch.metrics) for epoch in told] == validated
    assert told[model.fitted.trained.best_epoch].best
    assert all(set(epoch.losses) == set(model.recipe.tasks) for epoch in told)


def test_a_listener_that_raises_ends_the_training_which_goes_on_later(tmp_path):
    class EnoughError(Exception):
        pass

    def stop(_epoch):
        raise EnoughError

    with pytest.raises(EnoughError):
        Recommender(shop.recipe()).fit(shop.corpus(), run=tmp_path, on_epoch=stop)
    late: list[int] = []
    model = Recommender(shop.recipe()).fit(
        shop.corpus(), run=tmp_path, on_epoch=lambda epoch: late.append(epoch.number)
    )
    assert late[-1] == 1
    expected = shop.recommender().recommend(users=USERS, k=3)
    assert model.recommend(users=USERS, k=3)["item"].to_list() == expected["item"].to_list()
