"""Lists by wish: unlike items, quotas, boosts; where an item comes from; what has happened since."""

import numpy as np
import polars as pl
import pytest

from intertask import Catalogue, EventLog, Recommender
from intertask.errors import LeakageError, RequestError
from tests import shop
from tests.items.test_content import recipe as content_recipe
from tests.newcomers.test_items import catalogue as content_catalogue
from tests.newcomers.test_items import new
from tests.ranking.test_ranker import trained

HISTORY = [shop.item_id(n) for n in (1, 2, 3)]


def lists(model=None, **wishes):
    return (model or shop.recommender()).recommend(histories=[HISTORY], **{"k": 6, **wishes})


def test_without_a_wish_nothing_changes():
    plain = lists()
    assert lists(diversity=0.0, boost={}, quota={}, explain=False).equals(plain)


def test_diverse_lists_have_unlike_items():
    model = shop.recommender()
    places = model.answerer.reader.items.encode

    def alike(frame):
        own = model.answerer.directions_ID[places(frame["item"])]
        return float(np.triu(own @ own.T, 1).sum())

    plain, diverse = lists(), lists(diversity=0.9)
    assert alike(diverse) < alike(plain)
    assert diverse["item"][0] == plain["item"][0] and diverse["item"].n_unique() == 6


def test_a_quota_is_kept_and_the_list_is_full():
    frame = lists(k=8, quota={"'odd' in genres": 2})
    odd = [int(item[1:]) % 2 for item in frame["item"]]
    assert sum(odd) == 2 and frame.height == 8 and frame["rank"].to_list() == list(range(1, 9))
    assert frame["score"].is_sorted(descending=True)


def test_a_quota_of_none_leaves_them_out():
    assert all(int(item[1:]) % 2 == 0 for item in lists(quota={"'odd' in genres": 0})["item"])


def test_a_boost_multiplies_probabilities():
    plain = dict(lists(k=12).select("item", "score").iter_rows())
    boosted = dict(lists(k=12, boost={"'odd' in genres": 2.0}).select("item", "score").iter_rows())
    for item, score in plain.items():
        expected = score + (np.log(2) if int(item[1:]) % 2 else 0)
        assert item not in boosted or boosted[item] == pytest.approx(expected, abs=1e-5)
    first = lists(k=3, boost={"'odd' in genres": 1e5})["item"]
    assert all(int(item[1:]) % 2 for item in first)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"diversity": 2}, "diversity.*0 to 1"),
        ({"diversity": "much"}, "diversity.*0 to 1"),
        ({"diversity": float("nan")}, "diversity.*0 to 1"),
        ({"boost": {"'odd' in genres": -1}}, "boost.*factor"),
        ({"boost": {"price < 3": 2}}, "price"),
        ({"boost": [2]}, "boost.*conditions"),
        ({"quota": {"price < 3": 2}}, "price"),
        ({"quota": {"'odd' in genres": -1}}, "quota"),
        ({"quota": "odd"}, "quota.*conditions"),
        ({"explain": "yes"}, "explain"),
        ({"explain": True, "objective": {"next": 1}}, "explain.*one task"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(wish, words):
    with pytest.raises(RequestError, match=words):
        lists(**wish)


# Where an item comes from


def test_the_shares_of_the_sources_sum_to_one():
    frame = trained().recommend(users=trained().users[:5], k=4, explain=True)
    for told in frame["sources"]:
        shares = [pair["share"] for pair in told]
        assert all(share > 0 for share in shares) and shares == sorted(shares, reverse=True)
        assert not shares or sum(shares) == pytest.approx(1, abs=1e-5)
    assert "repeat" in {pair["source"] for told in frame["sources"] for pair in told}


def test_what_an_item_is_due_to_makes_it_less_likely_when_it_is_left_out():
    model = trained()
    history = ["i1", "i2", "i3", "i4"]
    frame = model.recommend(histories=[history], k=3, explain=True)
    assert frame["because"].list.len().max() > 0
    for item, told in frame.select("item", "because").iter_rows():
        for cause in told[:1]:
            without = [other for other in history if other != cause]
            assert share_of(model, without, item) < share_of(model, history, item)


def share_of(model, history, item):
    scores = model.recommend(histories=[history], k=30).select("item", "score")
    shares = scores.with_columns(pl.col("score").exp() / pl.col("score").exp().sum())
    return shares.filter(item=item)["score"][0]


def test_explained_lists_are_the_lists():
    model = trained()
    asked = {"histories": [["i1", "i2"], []], "k": 4}
    assert model.recommend(**asked, explain=True).drop("sources", "because").equals(model.recommend(**asked))


def test_a_model_without_a_ranker_is_its_own_source():
    frame = lists(explain=True)
    assert frame["sources"].to_list()[0] == [{"source": "model/next", "share": 1.0}]


# Alike


def test_items_are_alike_by_who_had_both():
    found = shop.recommender().similar([shop.item_id(1)], k=5, by="events")
    had = shop.events().group_by("visitor").agg(pl.col("sku"))["sku"].to_list()
    both = [sum({shop.item_id(1), item} <= set(own) for own in had) for item in found["similar"]]
    assert min(both) > 0 and shop.item_id(1) not in found["similar"]
    assert found["score"].is_between(0, 1.000001).all()


def test_an_item_that_nobody_had_has_no_list_by_events_until_somebody_has():
    model = Recommender(content_recipe()).fit(shop.corpus(), content_catalogue())
    model.add_items(new(1))
    with pytest.warns(UserWarning, match="1 of 2 items have no list"):
        found = model.similar(["new 0", shop.item_id(1)], k=3, by="events")
    assert set(found["item"]) == {shop.item_id(1)}
    rows = pl.DataFrame({"user": ["z", "z"], "item": ["new 0", shop.item_id(2)], "time": [1, 2]})
    rows = rows.with_columns(pl.lit("buy").alias("behaviour"))
    model.update(EventLog.read(rows, time="time", behaviour="behaviour"))
    assert model.similar(["new 0"], k=3, by="events")["similar"].to_list() == [shop.item_id(2)]


def test_items_are_alike_by_what_the_catalogue_says():
    model = shop.recommender()
    found = model.similar([shop.item_id(1)], k=14, by="content")
    genres = {row["sku"]: row["genres"] for row in shop.items().iter_rows(named=True)}
    same = [genres[item] == genres[shop.item_id(1)] for item in found["similar"]]
    assert same == sorted(same, reverse=True) and 0 < sum(same) < len(same)
    assert model.similar([shop.item_id(1)], k=3, by="model").equals(model.similar([shop.item_id(1)], k=3))


def test_without_a_catalogue_nothing_is_alike_by_content():
    with pytest.raises(RequestError, match="similar: expected a catalogue"):
        trained().similar(["i1"], by="content")


def test_another_way_of_being_alike_is_refused():
    with pytest.raises(RequestError, match="by: expected one of vectors, content, events"):
        shop.recommender().similar([shop.item_id(1)], by="looks")


# What has happened since


def fresh(tmp_path):
    trained().save(tmp_path / "m")
    return Recommender.load(tmp_path / "m")


def later(rows):
    frame = pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row")
    return EventLog.read(frame, time="time", behaviour="behaviour")


def test_an_update_is_as_if_the_history_had_been_given(tmp_path):
    model = fresh(tmp_path)
    before = model.histories.num_events
    model.update(later([("u1", "i7", 500, "buy"), ("new", "i8", 501, "view")]))
    assert model.histories.num_events == before + 2
    assert model.history("u1")["item"].to_list()[-1] == "i7"
    assert model.history("new")["item"].to_list() == ["i8"]
    own = model.recommend(users=["new"], k=5)
    at = EventLog.read(pl.DataFrame({"user": ["a"], "item": ["i8"], "time": [501]}), time="time").frame[
        "time"
    ][0]
    given = model.recommend(histories=[[("i8", "view", at)]], k=5)
    assert own["item"].to_list() == given["item"].to_list()
    assert "repeat" in model.answerer.ranker.signals


def test_sources_that_count_and_popularity_follow_an_update(tmp_path):
    model = fresh(tmp_path)
    counts = model.answerer.popularity.sum(0)
    pairs = [(f"x{n}", item, 500 + k, "buy") for n in range(50) for k, item in enumerate(["i3", "i9"])]
    model.update(later(pairs))
    places = model.answerer.reader.items.encode(pl.Series(["i3", "i9"]))
    assert (model.answerer.popularity.sum(0) - counts)[places].tolist() == [50, 50]
    row = model.answerer.ranker.signals["transition"].weights[places[0]].toarray()[0]
    assert row.argmax() == places[1] and row.max() >= 50
    model.save(tmp_path / "n")
    assert Recommender.load(tmp_path / "n").recommend(users=["x3"]).equals(model.recommend(users=["x3"]))


def test_the_same_update_twice_counts_once(tmp_path):
    model, more = fresh(tmp_path), later([("u1", "i7", 500, "buy"), ("u1", "i7", 500, "buy")])
    model.update(more)
    counts, events = model.answerer.popularity.copy(), model.histories.num_events
    with pytest.warns(UserWarning, match="2 that it had already"):
        model.update(more)
    assert model.histories.num_events == events and (model.answerer.popularity == counts).all()


def test_what_an_update_cannot_take_is_said(tmp_path):
    model = fresh(tmp_path)
    with pytest.warns(UserWarning, match="1 of items that the model does not.*1 older than the last"):
        model.update(later([("u1", "unheard", 500, "buy"), ("u2", "i4", 0, "buy"), ("u2", "i5", 900, "buy")]))
    own = model.history("u2")["item"].to_list()
    assert own.index("i4") <= 1 and own[-1] == "i5"
    model.histories.check("histories")


def test_an_update_that_does_not_fit_is_refused_and_changes_nothing(tmp_path):
    model = fresh(tmp_path)
    events = model.histories.num_events
    with pytest.raises(RequestError, match="behaviours of the training"):
        model.update(later([("u1", "i7", 500, "stolen")]))
    with pytest.raises(RequestError, match="with times"):
        model.update(EventLog.read(pl.DataFrame({"user": ["u1"], "item": ["i7"]})))
    with pytest.raises(RequestError, match="an EventLog"):
        model.update([("u1", "i7")])
    assert model.histories.num_events == events


def test_an_updated_model_is_not_measured_on_what_it_was_told(tmp_path):
    model = fresh(tmp_path)
    log = trained().fitted.corpus
    model.update(later([("u1", "i7", 500, "buy")]))
    with pytest.raises(LeakageError):
        model.evaluate(log)


def test_a_column_of_vectors_is_none_that_a_condition_reads():
    frame = pl.DataFrame({"sku": [shop.item_id(n) for n in range(15)], "look": [[1.0, 2.0]] * 15})
    seen = Recommender(content_recipe()).fit(
        shop.corpus(), Catalogue.read(frame, item="sku", vectors=["look"], text=["sku"])
    )
    for condition in ("look == 1", "1 in look", "look > 0.5"):
        with pytest.raises(RequestError, match="where: expected"):
            seen.recommend(histories=[HISTORY], k=3, where=condition)
