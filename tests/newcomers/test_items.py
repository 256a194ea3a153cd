import copy
import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from intertask import Catalogue, Recommender
from intertask.errors import RecipeError, RequestError
from tests import shop
from tests.items.test_content import recipe


@pytest.fixture(scope="module")
def trained() -> Recommender:
    return Recommender(recipe()).fit(shop.corpus(), catalogue())


@pytest.fixture
def model(trained) -> Recommender:
    return copy.copy(trained)  # what adds items replaces parts and changes none


def catalogue() -> Catalogue:
    frame = shop.items().with_columns(
        pl.Series("kind", [["odd", "even"][n % 2] for n in range(shop.NUM_ITEMS)]),
        pl.Series("price", np.arange(shop.NUM_ITEMS, dtype=float)),
    )
    return Catalogue.read(
        frame, item="sku", text=["title"], tags=["genres"], categories=["kind"], numbers=["price"]
    )


def new(num: int, **columns: object) -> pl.DataFrame:
    whole = {
        "item": [f"new {n}" for n in range(num)],
        "title": [f"Thing {n % 15}" for n in range(num)],
        "genres": ["odd|all"] * num,
        "kind": ["odd"] * num,
        "price": [1.0] * num,
    }
    return pl.DataFrame({name: value for name, value in (whole | columns).items() if value is not None})


def test_an_item_without_content_is_like_nothing(model):
    bare = new(2, title=[None, "Thing 1"], genres=None, kind=None, price=None)
    with pytest.warns(UserWarning, match="1 of 2 items have no content"):
        told = model.add_items(bare)
    assert told["nearest"].list.len().to_list() == [0, 3]
    assert told["share"][0] == 0


def test_new_items_are_like_those_that_look_alike(tmp_path):
    looks = np.eye(4)[np.arange(shop.NUM_ITEMS) % 4] + np.random.default_rng(0).normal(size=(15, 4)) / 20
    frame = shop.items().select("sku").with_columns(look=pl.Series(looks.tolist()))
    model = Recommender(recipe()).fit(shop.corpus(), Catalogue.read(frame, item="sku", vectors=["look"]))
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    fresh = pl.DataFrame({"item": ["new 0", "new 1"], "look": [[0.0, 0.0, 1.0, 0.0], None]})
    with pytest.warns(UserWarning, match="1 of 2 items have no content"):
        told = loaded.add_items(fresh)
    assert {int(item[1:]) % 4 for item in told["nearest"][0]} == {2}
    alike = loaded.similar(["new 0"], k=2, by="content")["similar"]
    assert {int(item[1:]) % 4 for item in alike} == {2}
    longer = pl.DataFrame({"item": ["new 2"], "look": [[1.0] * 5]})
    with pytest.raises(RequestError, match="expected vectors of 4 numbers, found 5"):
        model.add_items(longer)


def test_somebody_without_an_event_is_answered_beside_new_items(model):
    model.add_items(new(2))
    assert model.recommend(histories=[[]], k=17, exclude_seen=False).height == 17
    assert model.recommend(histories=[], k=3).is_empty()


def test_a_bonus_raises_new_items_and_no_others(trained):
    places = {}
    for bonus in (-10.0, 0.0, 10.0):
        model = copy.copy(trained)
        model.add_items(new(2))
        config = model.model.config
        items = config.items.model_copy(update={"new_item_bonus": bonus})
        model.model.config = config.model_copy(update={"items": items})
        found = everything(model)
        places[bonus] = [found.index(f"new {n}") for n in range(2)]
        others = [item for item in found if not item.startswith("new")]
        assert others == [item for item in everything(trained) if item in set(others)]
    assert sorted(places[10.0]) == [0, 1] and sorted(places[-10.0]) == [15, 16]
    assert places[10.0] <= places[0.0] <= places[-10.0]


def test_a_ranker_mixes_the_scores_of_new_items_too(tmp_path):
    content = {"content": "content", "content_last": {"kind": "content", "last": 1}}
    ranker = {
        "kind": "blend",
        "sources": {"transition": "transition", "popularity": "popularity", **content},
    }
    own = recipe(ranker=ranker, evaluation={"k": (5,), "history": ("kept",), "resamples": 100})
    model = Recommender(own).fit(shop.corpus(), catalogue())
    assert model.answerer.ranker is not None
    before = everything(model)
    told = model.add_items(new(2))
    after = everything(model)
    assert set(after) - set(before) == {"new 0", "new 1"}
    assert [item for item in after if item in set(before)] == before
    assert told["share"].is_between(0, 1).all()
    explained = model.recommend(histories=[[shop.item_id(0)]], k=17, exclude_seen=False, explain=True)
    shares = explained.filter(pl.col("item") == "new 0")["sources"].item()
    named = {own["source"] for own in shares.to_list()}
    assert named <= {"model/next", "model/buys", "popularity", *content}
    model.save(tmp_path / "m")
    again = Recommender.load(tmp_path / "m")
    assert everything(again) == after
    # The content of new items is known to its sources, and is kept once for all of them.
    told = {name: again.answerer.ranker.signals[name].content_IF for name in content}
    assert told["content"] is told["content_last"]
    np.testing.assert_array_equal(told["content"], model.answerer.described.directions())
    assert told["content"][-2:].any(1).all()


def test_a_mixture_raises_new_items_as_far_as_its_scores_ask_for(monkeypatch):
    ranker = {"kind": "blend", "sources": {"transition": "transition"}, "events": 30, "candidates": 10}
    own = recipe(ranker=ranker, evaluation={"k": (5,), "history": ("kept",), "resamples": 100})
    model = Recommender(own).fit(shop.corpus(), catalogue())
    model.add_items(new(1))
    asked = []
    bonus = type(model.model.config.items).bonus_of_new
    monkeypatch.setattr(
        type(model.model.config.items),
        "bonus_of_new",
        lambda self, *, mixed: asked.append(mixed) or bonus(self, mixed=mixed),
    )
    everything(model)
    assert asked == [True]
    model._answerer = replace(model.answerer, ranker=None)
    everything(model)
    assert asked == [True, False]


def everything(model: Recommender) -> list[str]:
    return model.recommend(histories=[[shop.item_id(0)]], k=len(model.items), exclude_seen=False)[
        "item"
    ].to_list()


def test_new_items_are_recommended_and_answered_about_at_once(model):
    before = everything(model)
    found = model.add_items(new(3))
    assert found["item"].to_list() == ["new 0", "new 1", "new 2"]
    assert found["added"].all() and found["text"].to_list() == ["Thing 0", "Thing 1", "Thing 2"]
    after = everything(model)
    assert set(after) - set(before) == {"new 0", "new 1", "new 2"}
    assert [item for item in after if item in set(before)] == before  # nothing else has moved
    assert model.predict(histories=[["new 0"]], items=["new 1"], task="liked").height == 1
    assert model.similar(["new 0"], k=2).height == 2
    assert model.recommend(histories=[["new 1"]], k=3, titles=True)["title"].null_count() == 0


def test_an_item_with_the_content_of_a_trained_one_is_nearest_to_it(model):
    own = catalogue().rows(pl.Series([shop.item_id(3), shop.item_id(8)]))
    twins = own.with_columns(pl.Series("item", ["twin 3", "twin 8"]))
    found = model.add_items(twins)
    assert [near[0] for near in found["nearest"]] == [shop.item_id(3), shop.item_id(8)]


def test_shares_are_those_of_the_lists(model):
    found = model.add_items(new(4))
    users = model.users.to_list()
    lists = model.recommend(users, k=10, task="next", exclude_seen=False)
    for item, share in found.select("item", "share").iter_rows():
        assert share == pytest.approx((lists["item"] == item).sum() / len(users))


def test_what_new_items_take_and_when_they_pay_is_said(model, capsys):
    model.add_items(new(4))
    told = capsys.readouterr().err.replace("\n", " ")
    assert "new items take" in told and "they pay where" in told


def test_an_item_that_is_added_again_is_updated(model):
    model.add_items(new(2))
    count = len(model.items)
    again = model.add_items(new(2, title=["Thing 7", "Thing 7"]))
    assert not again["added"].any() and len(model.items) == count
    assert model.catalogue.text_of(pl.Series(["new 1"])).item() == "Thing 7"
    same = model.similar(["new 0"], k=1)
    assert same["similar"].item() == "new 1" and same["score"].item() == pytest.approx(1, abs=1e-5)


def test_a_model_with_new_items_is_the_same_when_it_is_loaded(model, tmp_path):
    model.add_items(new(3))
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    users = model.users.to_list()[:5]
    assert loaded.recommend(users, k=18).equals(model.recommend(users, k=18))
    more = new(1, item=["later"])
    assert loaded.add_items(more).drop("share").equals(model.add_items(more).drop("share"))


def test_columns_may_be_missing(model):
    found = model.add_items(new(2, title=None, genres=None, price=None))
    assert found["text"].null_count() == 2
    assert {"new 0", "new 1"} < set(everything(model))


@pytest.mark.parametrize(
    "title",
    [
        "",
        None,
        "  ",
        "x" * 100_000,
        "<script>alert('Thing')</script>",
        "美しい花瓶",
        "Вещь",
        "\x00\x1b[31m",
        "🫖" * 50,
    ],
)
def test_any_text_is_read(model, title):
    found = model.add_items(new(1, title=[title]))
    text = found["text"].item()
    assert text is None or (len(text) <= 200 and "<" not in text)
    vectors = model.model.items.weight_ID.detach()
    assert bool(vectors.isfinite().all())


def test_items_without_any_content_are_told_and_in_no_list(model):
    nothing = new(1, title=[""], genres=[""], kind=[None], price=[None])
    with pytest.warns(UserWarning, match="1 of 1 items have no content"):
        model.add_items(nothing)
    assert "new 0" not in everything(model)


def test_ids_that_stand_twice_are_told_and_the_first_is_taken(model):
    twice = new(2, item=["same", "same"])
    with pytest.warns(UserWarning, match="duplicate item"):
        found = model.add_items(twice)
    assert found["item"].to_list() == ["same"] and found["text"].item() == "Thing 0"


def test_what_cannot_be_added_is_refused_and_changes_nothing(model, trained):
    with pytest.raises(RequestError, match="some of the columns title, genres"):
        model.add_items(pl.DataFrame({"item": ["a"], "colour": ["red"]}))
    with pytest.raises(RequestError, match="at least one item"):
        model.add_items(new(0).cast({"item": pl.String, "title": pl.String, "genres": pl.String}))
    with pytest.raises(RequestError, match="a model that reads the content"):
        shop.recommender().add_items(new(1))
    assert model.answerer is trained.answerer


def test_an_encoder_that_is_gone_is_refused_in_a_line(model, monkeypatch):
    def gone(encoder: str):
        def made(texts):
            raise RecipeError("pretrained", "a folder", "neither", "check the path")

        return made

    monkeypatch.setattr("intertask.newcomers.growing.vectors_by", gone)
    with pytest.raises(RequestError, match="the encoder 'hashed', which made the texts"):
        model.add_items(new(1))


def test_a_thousand_items_are_added_within_a_second(model):
    items = new(1_000)
    began = time.perf_counter()
    model.add_items(items)
    assert time.perf_counter() - began < 1.5  # 0.2 s by itself, on a machine that may be busy


def test_new_items_have_no_more_places_than_their_share(trained):
    bounded, users = copy.copy(trained), trained.users.to_list()
    bounded.add_items(new(12))
    free = bounded.recommend(users, k=10, exclude_seen=False)
    is_new = pl.col("item").str.starts_with("new")
    # Above the greatest share that is asked for below, or it would bound nothing.
    assert free.filter(is_new).height > 0.15 * free.height
    for share in (0.0, 0.05, 0.15):
        config = bounded.model.config
        items = config.items.model_copy(update={"new_item_share": share})
        bounded.model.config = config.model_copy(update={"items": items})
        found = bounded.recommend(users, k=10, exclude_seen=False)
        assert found.height == free.height
        of_each = found.filter(is_new).group_by("user").len()["len"]
        assert of_each.max() is None if share == 0 else of_each.max() <= int(share * 10) + 1
        assert found.filter(is_new).height <= 1.5 * share * found.height
        assert found.sort("user", "rank")["score"].is_finite().all()
        one = bounded.recommend(users[3:4], k=10, exclude_seen=False)
        assert one["item"].to_list() == found.filter(pl.col("user") == users[3])["item"].to_list()
        bounded.model.config = config
