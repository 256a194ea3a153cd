from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from safetensors.numpy import load_file

from intertask import Recipe, Recommender
from intertask.errors import DataError, IntertaskError, RecipeError, RequestError
from tests import shop

ALL = [shop.user_id(number) for number in range(shop.NUM_USERS)]
# Batches of another shape add floating-point numbers in another order: a few units in the last place.
CLOSE = 1e-5


@pytest.fixture(scope="module")
def model():
    return shop.recommender()


def seen(model, user):
    return set(model.history(user)["item"])


def test_answers_are_frames_in_the_users_own_ids(model):
    found = model.recommend(users=["ü3", "ü1"], k=4)
    assert found.columns == ["user", "rank", "item", "score"]
    assert found["user"].to_list() == ["ü3"] * 4 + ["ü1"] * 4
    assert found["rank"].to_list() == [1, 2, 3, 4] * 2
    assert set(found["item"]) <= {shop.item_id(number) for number in range(shop.NUM_ITEMS)}
    for _, own in found.group_by("user"):
        assert own["score"].is_sorted(descending=True)
        assert own["item"].n_unique() == 4


def test_integer_ids_stay_integers():
    rows = [(user * 1000, 10**12 + (user + step) % 5) for user in range(1, 9) for step in range(5)]
    log = pl.DataFrame(rows, schema=["user", "item"], orient="row")
    recipe = Recipe(width=4, max_length=4, encoder="gru", train={"epochs": 1, "workers": 0})
    model = Recommender(recipe).fit(shop.EventLog.read(log))
    found = model.recommend(users=[3000, 1000], k=2, exclude_seen=False)
    assert found.schema["user"] == found.schema["item"] == pl.Int64
    assert found["user"].to_list() == [3000, 3000, 1000, 1000]
    assert (found["item"] >= 10**12).all()
    by_word = model.recommend(users=["3000", "1000"], k=2, exclude_seen=False)
    assert by_word.equals(found)
    alone = model.recommend(histories=[np.array([10**12, 10**12 + 1])], k=2)
    assert alone.schema["item"] == pl.Int64


def test_unsigned_ids_are_asked_in_any_spelling_and_saved(tmp_path):
    most = 2**64 - 1
    log = pl.DataFrame(
        {
            "user": pl.Series([most - user for user in range(8) for _ in range(5)], dtype=pl.UInt64),
            "item": pl.Series(
                [most - (user + step) % 5 for user in range(8) for step in range(5)], dtype=pl.UInt64
            ),
        }
    )
    recipe = Recipe(width=4, max_length=4, encoder="gru", train={"epochs": 1, "workers": 0})
    model = Recommender(recipe).fit(shop.EventLog.read(log))
    model.save(tmp_path / "model")
    found = model.recommend(users=[most - 1], k=2, exclude_seen=False)
    assert found["user"].to_list() == [most - 1] * 2
    for asked in (model, Recommender.load(tmp_path / "model")):
        for users in (
            [str(most - 1)],
            pl.Series([most - 1], dtype=pl.UInt64),
            np.array([most - 1], np.uint64),
        ):
            assert asked.recommend(users=users, k=2, exclude_seen=False).equals(found)
    allowed = model.recommend(histories=[[most, most - 1]], allow=[most - 2], k=1)
    assert allowed["item"].to_list() == [most - 2]
    with pytest.raises(RequestError, match="found 5, 1 of 1 unknown"):
        model.recommend(users=[5], k=1)


@pytest.mark.parametrize("exclude", [True, False])
def test_seen_items_are_left_out_or_not(model, exclude):
    found = model.recommend(users=ALL, k=shop.NUM_ITEMS, exclude_seen=exclude)
    for user in ALL:
        items = set(found.filter(pl.col("user") == user)["item"])
        assert len(items) == shop.NUM_ITEMS - (len(seen(model, user)) if exclude else 0)
        assert not (exclude and items & seen(model, user))


@pytest.mark.parametrize("history", [("masked",), ("kept",), ("kept", "masked")])
def test_items_of_the_history_are_recommended_as_the_recipe_evaluates(model, history, tmp_path):
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    evaluation = loaded.recipe.evaluation.model_copy(update={"history": history})
    loaded.recipe = loaded.recipe.model_copy(update={"evaluation": evaluation})
    found = loaded.recommend(users=ALL, k=shop.NUM_ITEMS)
    assert found.equals(model.recommend(users=ALL, k=shop.NUM_ITEMS, exclude_seen=history[0] == "masked"))


def test_seen_items_of_a_given_history_are_left_out(model):
    found = model.recommend(histories=[["№1", ("№2", "view")]], k=shop.NUM_ITEMS)
    assert len(found) == shop.NUM_ITEMS - 2
    assert not {"№1", "№2"} & set(found["item"])


def test_filters_keep_the_order_of_what_is_left(model):
    everything = model.recommend(users=["ü5"], k=shop.NUM_ITEMS, exclude_seen=False)["item"].to_list()
    allowed = everything[1::2]
    found = model.recommend(users=["ü5"], k=shop.NUM_ITEMS, exclude_seen=False, allow=allowed)
    assert found["item"].to_list() == allowed
    found = model.recommend(users=["ü5"], k=shop.NUM_ITEMS, exclude_seen=False, deny=allowed)
    assert found["item"].to_list() == everything[::2]
    found = model.recommend(
        users=["ü5"], k=shop.NUM_ITEMS, exclude_seen=False, allow=pl.Series(allowed), deny=allowed[:1]
    )
    assert found["item"].to_list() == allowed[1:]


def test_nothing_allowed_is_an_empty_answer_of_the_usual_kind(model):
    found = model.recommend(users=["ü5"], k=3, allow=[])
    assert found.is_empty()
    assert found.schema == model.recommend(users=["ü5"], k=3).schema


def test_nobody_asked_is_an_empty_answer_of_the_usual_kind(model):
    assert model.recommend(users=[], k=3).schema == model.recommend(users=["ü5"], k=3).schema
    assert model.recommend(histories=[], k=3).is_empty()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"users": ["ü1"], "k": 0}, "k: expected 1 to 15, the size of the catalogue, found 0"),
        ({"users": ["ü1"], "k": 16}, "k: expected 1 to 15, the size of the catalogue, found 16"),
        (
            {"users": ["nobody"]},
            "users: expected users of the log, found 'nobody', 1 of 1 unknown; ask by a history",
        ),
        ({"users": ["ü1"], "deny": "№1"}, "deny: expected a list of ids, found '№1'"),
        (
            {"users": ["ü1"], "behaviour": "steal"},
            "behaviour: expected one that a task was trained for: buy, found",
        ),
        (
            {"users": ["ü1"], "behaviour": "view"},
            "behaviour: expected one that a task was trained for: buy, found",
        ),
        (
            {"users": ["ü1"], "task": "liked"},
            "task: expected one that ranks items: next, buys, found 'liked'",
        ),
        (
            {"histories": [["№1"]], "users": ["ü1"]},
            "recommend: expected users=[...] or histories=[...], found both",
        ),
        ({}, "recommend: expected users=[...] or histories=[...], found neither"),
        ({"users": ["ü1"], "objective": "buys=1"}, "objective: expected tasks and weights, as {"),
        ({"users": b"17"}, "users: expected a list of ids, found b'17'"),
        ({"users": [True]}, "users: expected text or whole numbers, found True"),
        ({"users": ["ü1"], "exclude_seen": "no"}, "exclude_seen: expected True or False, found 'no'"),
        (
            {"users": ["ü1"], "task": ["next"]},
            "task: expected one that ranks items: next, buys, found ['next']",
        ),
        (
            {"users": ["ü1"], "behaviour": 1},
            "behaviour: expected one that a task was trained for: buy, found 1",
        ),
        ({"histories": {"a": ["№1"]}}, "histories: expected a list of histories, found {'a': ['№1']}; pass"),
        ({"histories": [{"№1"}]}, "histories[0]: expected a list of events, found {'№1'}; pass"),
        (
            {"histories": [[("№1", None)]]},
            "histories[0]: expected a behaviour among buy, cart, view, found None",
        ),
        (
            {"histories": [[("№1", np.array(["a", "b"]))]]},
            "histories[0]: expected a behaviour among buy, cart",
        ),
        ({"users": ["ü1"], "at": "2026-05-01"}, "at: expected a datetime, found '2026-05-01'"),
        ({"users": ["ü1"], "k": 2.0}, "k: expected 1 to 15, the size of the catalogue, found 2.0"),
        (
            {"histories": [[("№1", "steal")]]},
            "histories[0]: expected a behaviour among buy, cart, view, found",
        ),
    ],
)
def test_a_request_that_cannot_be_answered_is_one_line(model, request_, message):
    with pytest.raises(RequestError) as caught:
        model.recommend(**{"k": 3, **request_})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_unknown_items_of_allow_and_deny_change_nothing_and_are_counted_in_one_warning(model):
    some = ["№1", "№2", "№3", "№4"]
    expected = model.recommend(users=["ü5"], k=9, exclude_seen=False, allow=some, deny=["№2"])
    left_out = (
        r"left out of the request: 2 of 6 of allow that it does not know; 1 of 2 of deny that it does not"
    )
    with pytest.warns(UserWarning, match=left_out) as told:
        found = model.recommend(
            users=["ü5"], k=9, exclude_seen=False, allow={*some, "new", "?"}, deny=iter(["№2", "?"])
        )
    assert found.equals(expected) and len(told) == 1
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="1 of 1 of allow"):
        assert model.recommend(users=["ü5"], allow=["?"]).is_empty()


@pytest.fixture(scope="module")
def unseen():
    """A model and two items that only held-out events have."""
    last = pl.int_range(pl.len()).over("visitor") == pl.len().over("visitor") - 1
    new = pl.when(last & (pl.col("visitor") == "ü1")).then(pl.lit("new")).otherwise("sku")
    log = shop.events().with_columns(
        sku=pl.when(last & (pl.col("visitor") == "ü2")).then(pl.lit("newer")).otherwise(new)
    )
    with pytest.warns(UserWarning, match="2 of 17 items have no training event: no list holds them") as told:
        model = Recommender(shop.recipe()).fit(shop.log(log), shop.catalogue())
    assert told[0].filename == __file__
    return model


def test_a_prediction_for_an_item_that_was_never_trained_is_counted(unseen):
    with pytest.warns(UserWarning, match="1 of 2 items have no training event"):
        found = unseen.predict(users=["ü3"], items=["new", "№1"], task="liked")
    assert found["item"].to_list() == ["new", "№1"]


def test_items_that_were_never_trained_are_in_no_list(unseen):
    for request_ in ({}, {"task": "buys"}, {"objective": {"next": 1, "liked": 1}}, {"deny": ["№1"]}):
        found = unseen.recommend(users=ALL, k=shop.NUM_ITEMS + 2, exclude_seen=False, **request_)
        assert not {"new", "newer"} & set(found["item"])
        assert found.filter(pl.col("user") == "ü3").height == shop.NUM_ITEMS - len(request_.get("deny", []))
    nobody = unseen.recommend(histories=[[]], k=shop.NUM_ITEMS + 2)
    assert not {"new", "newer"} & set(nobody["item"])


def test_allowing_an_item_that_was_never_trained_says_that_it_is_left_out(unseen):
    with pytest.warns(UserWarning, match="left out of the request: 1 of allow that were never trained"):
        found = unseen.recommend(users=["ü3"], exclude_seen=False, allow=["new", "№1"])
    assert found["item"].to_list() == ["№1"]


def test_a_condition_on_the_catalogue_allows_what_meets_it(model, tmp_path):
    model.save(tmp_path / "model")
    odd = [shop.item_id(number) for number in range(1, shop.NUM_ITEMS, 2)]
    for asked in (model, Recommender.load(tmp_path / "model")):
        found = asked.recommend(users=ALL, k=9, exclude_seen=False, where="'odd' in genres")
        assert found.equals(asked.recommend(users=ALL, k=9, exclude_seen=False, allow=odd))
    both = model.recommend(
        users=["ü1"], exclude_seen=False, where="title == 'Thing 3' or item == '№4'", deny=["№4"]
    )
    assert both["item"].to_list() == ["№3"]
    assert model.recommend(users=["ü1"], where="title == 'Nothing'").is_empty()


def test_a_condition_needs_a_catalogue_and_items_that_it_misses_have_no_values():
    some = shop.Catalogue.read(shop.items().head(3), item="sku", text=["title"])
    fast = {"train": {"epochs": 1, "workers": 0}}
    model = Recommender(shop.recipe(**fast)).fit(shop.corpus(), some)
    found = model.recommend(users=["ü1"], k=15, exclude_seen=False, where="title != None")
    assert set(found["item"]) == {"№0", "№1", "№2"}
    bare = Recommender(shop.recipe(**fast)).fit(shop.corpus())
    with pytest.raises(RequestError, match="where: expected a catalogue, found none"):
        bare.recommend(users=["ü1"], where="title != None")
    with pytest.raises(RequestError, match="titles: expected a catalogue with text, found none"):
        bare.recommend(users=["ü1"], titles=True)


def test_titles_stand_beside_the_ids(model):
    found = model.recommend(users=ALL, k=4, titles=True)
    assert found.drop("title").equals(model.recommend(users=ALL, k=4))
    assert found["title"].to_list() == [f"Thing {item[1:]}" for item in found["item"]]
    assert model.recommend(users=[], titles=True).schema == found.schema
    with pytest.raises(RequestError, match="titles: expected True or False, found 'yes'"):
        model.recommend(users=ALL, titles="yes")


def test_the_items_of_a_model_have_their_titles_and_whether_they_were_trained(unseen, tmp_path):
    unseen.save(tmp_path / "model")
    for model in (unseen, Recommender.load(tmp_path / "model")):
        assert model.items.columns == ["item", "title", "trained"]
        titles = dict(model.items.select("item", "title").iter_rows())
        assert titles["№3"] == "Thing 3" and titles["new"] is None
        assert set(model.items.filter(~pl.col("trained"))["item"]) == {"new", "newer"}
    assert Recommender(shop.recipe()).fit(shop.corpus()).items.columns == ["item", "trained"]


def test_recommend_before_fit_is_refused():
    for call in (
        lambda: Recommender().recommend(users=["a"]),
        lambda: Recommender().predict(users=["a"], items=["b"], task="liked"),
        lambda: Recommender().save("nowhere"),
        lambda: Recommender().history("a"),
    ):
        with pytest.raises(RequestError, match=r"found an untrained one; call fit\(\) or load\(\) first"):
            call()


def test_a_history_given_by_hand_is_answered_as_the_users_own(model):
    corpus = shop.corpus().sequences
    own = model.history("ü7")
    place = model.users.to_list().index("ü7")
    times = corpus.times[corpus.offsets[place] : corpus.offsets[place + 1]].tolist()
    given = [
        (item, kind, datetime.fromtimestamp(time, UTC))
        for item, kind, time in zip(own["item"], own["behaviour"], times, strict=True)
    ]
    for options in ({}, {"behaviour": "buy"}, {"exclude_seen": False}):
        by_id = model.recommend(users=["ü7"], k=5, **options)
        by_hand = model.recommend(histories=[given], k=5, **options)
        assert by_hand["item"].to_list() == by_id["item"].to_list()
        np.testing.assert_allclose(by_hand["score"], by_id["score"], atol=CLOSE)


def test_a_single_session_needs_no_log(model, tmp_path):
    model.save(tmp_path / "model", histories=False)
    loaded = Recommender.load(tmp_path / "model")
    session = [[("№9", "view"), ("№10", "cart")]]
    assert loaded.recommend(histories=session, k=5).equals(model.recommend(histories=session, k=5))


def test_behaviours_of_a_history_change_the_answer(model):
    views, buys = [("№1", "view"), ("№2", "view")], [("№1", "buy"), ("№2", "buy")]
    found = [model.recommend(histories=[h], k=shop.NUM_ITEMS)["score"].to_list() for h in (views, buys)]
    assert found[0] != found[1]


def test_the_behaviour_chooses_the_head(model):
    by_behaviour = model.recommend(users=ALL, k=5, behaviour="buy")
    assert by_behaviour.equals(model.recommend(users=ALL, k=5, task="buys"))
    in_general = model.recommend(users=ALL, k=5)
    assert in_general.equals(model.recommend(users=ALL, k=5, task="next"))
    assert not by_behaviour["score"].equals(in_general["score"])


def test_without_a_general_task_the_first_one_answers():
    recipe = shop.recipe(
        tasks={
            "cart": {"kind": "next_item", "behaviour": "cart"},
            "buy": {"kind": "next_item", "behaviour": "buy"},
        },
        train={"epochs": 1, "workers": 0},
    )
    model = Recommender(recipe).fit(shop.corpus())
    assert model.recommend(users=ALL, k=3).equals(model.recommend(users=ALL, k=3, behaviour="cart"))


@pytest.mark.parametrize(("behaviour", "kind"), [(None, None), ("buy", "buy")])
def test_an_empty_history_is_answered_by_what_is_popular_in_training(model, behaviour, kind):
    corpus = shop.corpus()
    training = model.fitted.split.training(corpus.sequences)
    counted = (
        training.items
        if kind is None
        else training.items[training.behaviours == corpus.behaviours.index(kind)]
    )
    counts = np.bincount(counted, minlength=shop.NUM_ITEMS)
    found = model.recommend(histories=[[], ["№1"], []], k=4, behaviour=behaviour)
    for owner in (0, 2):
        own = found.filter(pl.col("history") == owner)
        assert own["score"].to_list() == sorted(counts, reverse=True)[:4]
        assert own["score"].to_list() == counts[corpus.items.encode(own["item"])].tolist()


def test_unknown_items_in_a_history_are_left_out_with_a_warning(model):
    with pytest.warns(UserWarning, match="1 of 3 events are of items that the model does not know"):
        found = model.recommend(histories=[["№1", "new", "№2"]], k=5)
    assert found.equals(model.recommend(histories=[["№1", "№2"]], k=5))
    with pytest.warns(UserWarning, match="1 of 1 events"):
        alone = model.recommend(histories=[["new"]], k=5)
    assert alone.equals(model.recommend(histories=[[]], k=5))


@pytest.mark.parametrize("exclude", [True, False])
def test_an_answer_does_not_depend_on_who_else_is_asked_or_in_which_order(model, exclude):
    together = model.recommend(users=ALL, k=shop.NUM_ITEMS, exclude_seen=exclude)
    shuffled = model.recommend(users=ALL[::-1], k=shop.NUM_ITEMS, exclude_seen=exclude)
    for user in ALL[:6]:
        alone = model.recommend(users=[user], k=shop.NUM_ITEMS, exclude_seen=exclude).sort("item")
        for frame in (together, shuffled):
            own = frame.filter(pl.col("user") == user).sort("item")
            assert own["item"].to_list() == alone["item"].to_list()
            np.testing.assert_allclose(own["score"], alone["score"], atol=CLOSE)


def test_answers_in_small_pieces_are_the_same(model, monkeypatch):
    whole = model.recommend(users=ALL, k=5)
    monkeypatch.setattr("intertask.answering.answerer.SCORES_IN_MEMORY", 4 * shop.NUM_ITEMS)
    monkeypatch.setattr("intertask.answering.answerer.TOKENS", 10)
    pieces = model.recommend(users=ALL, k=5)
    assert pieces["user"].to_list() == whole["user"].to_list()
    np.testing.assert_allclose(pieces["score"], whole["score"], atol=CLOSE)


def test_only_the_last_events_of_a_long_history_are_read(model):
    long = [shop.item_id(number % shop.NUM_ITEMS) for number in range(40)]
    found = [
        model.recommend(histories=[history], k=shop.NUM_ITEMS, exclude_seen=False).sort("item")["score"]
        for history in (long, long[-8:], long[-7:])
    ]
    np.testing.assert_allclose(found[0], found[1], atol=CLOSE)
    assert np.abs(found[0].to_numpy() - found[2].to_numpy()).max() > CLOSE


def test_predict_answers_every_pair_in_order(model):
    found = model.predict(users=["ü2", "ü1"], items=["№3", "№4", "№5"], task="liked")
    assert found.columns == ["user", "item", "liked"]
    assert found["user"].to_list() == ["ü2"] * 3 + ["ü1"] * 3
    assert found["item"].to_list() == ["№3", "№4", "№5"] * 2
    assert found["liked"].is_between(0, 1, closed="none").all()
    alone = model.predict(users=["ü1"], items=["№5"], task="liked")
    np.testing.assert_allclose(alone["liked"][0], found["liked"][5], atol=CLOSE)
    given = model.predict(histories=[[("№3", "buy")]], items=["№4"], task="liked")
    assert given["history"].to_list() == [0]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"users": ["ü1"], "task": "next"}, "task: expected a response task: liked, found 'next'"),
        ({"users": ["ü1"], "task": "liked", "items": ["?"]}, "items: expected items of the log, found '?'"),
        ({"users": ["ü1"], "task": "liked", "items": "№1"}, "items: expected a list of ids, found '№1'"),
        ({"histories": [[]], "task": "liked"}, "histories: expected at least one event of a known item each"),
        ({"task": "liked"}, "recommend: expected users=[...] or histories=[...], found neither"),
    ],
)
def test_a_prediction_that_cannot_be_made_is_one_line(model, request_, message):
    with pytest.raises(RequestError) as caught:
        model.predict(**{"items": ["№1"], **request_})
    assert str(caught.value).startswith(message)


def test_saving_without_histories_leaves_no_user_in_the_folder(model, tmp_path):
    for keep in (True, False):
        model.save(tmp_path / "model", histories=keep)
        texts = [
            pl.read_parquet(file).write_json()
            if file.suffix == ".parquet"
            else file.read_bytes().decode("latin-1")
            for file in (tmp_path / "model").iterdir()
        ]
        assert any("ü29" in text or "ü29".encode().decode("latin-1") in text for text in texts) == keep
        histories = load_file(tmp_path / "model" / "histories.safetensors")
        assert len(histories["items"]) == (shop.corpus().sequences.num_events if keep else 0)
    loaded = Recommender.load(tmp_path / "model")
    assert loaded.histories.num_events == 0
    with pytest.raises(RequestError, match="found 'ü1', 1 of 1 unknown"):
        loaded.recommend(users=["ü1"])


def test_the_moment_of_the_request_counts_for_a_model_with_query_time_alone():
    sequences, place = shop.corpus().sequences, shop.recommender().users.to_list().index("ü4")
    now = datetime.fromtimestamp(int(sequences.times[sequences.offsets[place + 1] - 1]), UTC)
    for bias, counts in (("query", True), ("history", False)):
        encoder = {"kind": "attention", "num_layers": 1, "time_bias": bias}
        model = Recommender(shop.recipe(encoder=encoder)).fit(shop.corpus())
        found = [
            model.recommend(users=["ü4"], k=shop.NUM_ITEMS, at=at, exclude_seen=False).sort("item")["score"]
            for at in (now, now + timedelta(days=90), (now + timedelta(days=90)).replace(tzinfo=None))
        ]
        assert found[1].equals(found[2])
        assert (not found[0].equals(found[1])) == counts


def test_the_catalogue_may_miss_items_of_the_log():
    some = shop.Catalogue.read(shop.items().head(3), item="sku", text=["title"])
    model = Recommender(shop.recipe(train={"epochs": 1, "workers": 0})).fit(shop.log(), some)
    assert (
        model.recommend(users=["ü1"], k=shop.NUM_ITEMS, exclude_seen=False)["item"].n_unique()
        == shop.NUM_ITEMS
    )


def test_the_same_seed_gives_the_same_model_and_another_one_another():
    scores = [
        Recommender(shop.recipe(seed=seed))
        .fit(shop.log(), shop.catalogue())
        .recommend(users=ALL, k=5)["score"]
        for seed in (1, 1, 2)
    ]
    assert scores[0].equals(scores[1])
    assert not scores[0].equals(scores[2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tasks": {"x": {"kind": "next_item", "behaviour": "steal"}}},
            "expected one of buy, cart, view, found 'steal'",
        ),
        ({"tasks": {"x": {"kind": "response", "label": "stars"}}}, "expected one of liked, found 'stars'"),
        ({"train": {"monitor": "next/ndgc@10"}}, "[train] monitor: expected one of next/ndcg@10"),
        (
            {"width": 9, "encoder": {"kind": "attention", "num_heads": 2}},
            "[encoder] num_heads: expected a divisor of",
        ),
    ],
)
def test_a_recipe_that_does_not_fit_the_log_is_one_line(changes, message):
    with pytest.raises(RecipeError) as caught:
        Recommender(shop.recipe(**changes)).fit(shop.corpus())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_binary_labels_other_than_0_and_1_are_refused():
    stars = shop.events().with_columns(liked=pl.lit(4.0))
    with pytest.raises(RecipeError, match=r"label 'liked': expected 0 or 1, .* found 4; add at_least"):
        Recommender(shop.recipe()).fit(shop.log(stars))


def test_labels_that_are_all_missing_are_refused():
    empty = shop.events().with_columns(liked=pl.lit(float("nan")))
    with pytest.raises(
        RecipeError,
        match="label 'liked': expected a label at some training event that follows another, found none",
    ):
        Recommender(shop.recipe()).fit(shop.log(empty))


def test_labels_of_first_events_alone_are_none_since_nothing_is_asked_about_them():
    """An event that follows nothing is no target, whatever it is labelled with."""
    opening = pl.int_range(pl.len()).over("visitor") == 0
    labelled = shop.events().with_columns(liked=pl.when(opening).then(1.0).otherwise(float("nan")))
    with pytest.raises(RecipeError, match=r"label 'liked': .* that follows another, found none"):
        Recommender(shop.recipe()).fit(shop.log(labelled))


@pytest.mark.parametrize("kind", ["next_item", "response"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_behaviour_that_only_opens_histories_or_is_only_held_out_is_refused(kind, place):
    number = pl.int_range(pl.len()).over("visitor")
    opens, ends = number == 0, number == pl.len().over("visitor") - 1
    bought = pl.when(opens if place == "first" else ends).then(pl.lit("buy")).otherwise(pl.lit("view"))
    known = shop.events().with_columns(action=bought)
    tasks = {"next": {"kind": "next_item"}, "buys": {"kind": kind, "behaviour": "buy"}}
    with pytest.raises(RecipeError, match=r"behaviour 'buy'.* of it that follows another.*, found none"):
        Recommender(shop.recipe(tasks=tasks)).fit(shop.log(known))


def test_users_who_are_too_short_are_refused():
    first = shop.events().filter(pl.col("visitor").is_first_distinct())
    with pytest.raises(DataError, match="expected at least one user with three events, found 1 at most"):
        Recommender(shop.recipe()).fit(shop.log(first))


def test_a_recipe_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(IntertaskError, match=r"none\.toml: expected a recipe file, found no such file"):
        Recommender.from_recipe(tmp_path / "none.toml")


def test_a_number_of_numpy_is_a_number(model):
    assert model.recommend(users=["ü1"], k=np.int64(3)).equals(model.recommend(users=["ü1"], k=3))


def test_histories_may_be_iterators_and_columns(model):
    given = [["№1", ("№2", "buy")], ["№3"]]
    expected = model.recommend(histories=given, k=4)
    assert model.recommend(histories=(iter(history) for history in given), k=4).equals(expected)
    plain = [["№1", "№2"], ["№3"]]
    expected = model.recommend(histories=plain, k=4)
    for same in (
        pl.Series(plain),
        pd.Series(plain),
        pa.array(plain),
        [np.array(plain[0]), pl.Series(plain[1])],
        [pd.Series(plain[0]), pa.array(plain[1])],
    ):
        assert model.recommend(histories=same, k=4).equals(expected)


def test_answers_become_frames_of_pandas(model):
    found = model.recommend(users=pd.Series(["ü3", "ü1"]), k=4)
    assert found.to_pandas()["item"].tolist() == found["item"].to_list()


def test_paths_and_flags_of_the_other_calls_are_checked(model, tmp_path):
    for call, where in (
        (lambda: model.save(""), "save"),
        (lambda: model.save(3), "save"),
        (lambda: model.save(tmp_path / "model", histories="no"), "histories"),
        (lambda: Recommender.load(None), "load"),
        (lambda: Recommender.load("a\0b"), "load"),
        (lambda: model.history(["ü1"]), "user"),
        (lambda: model.history(None), "user"),
        (lambda: Recommender(shop.recipe()).fit(shop.log(), run=7), "run"),
        (lambda: Recommender("recipe.toml"), "Recommender"),
        (lambda: Recommender.from_recipe(3), "from_recipe"),
    ):
        with pytest.raises(RequestError, match=rf"^{where}: expected "):
            call()
    assert not (tmp_path / "model").exists()


def test_a_catalogue_that_is_none_is_refused_before_training():
    with pytest.raises(
        RequestError, match=r"fit: expected a Catalogue, found str; read it with Catalogue\.read"
    ):
        Recommender(shop.recipe()).fit(shop.log(), "items.csv")


def test_a_run_is_loaded_as_its_model_is(model, tmp_path):
    model.save(tmp_path / "run" / "model")
    assert Recommender.load(tmp_path / "run").recommend(users=ALL).equals(model.recommend(users=ALL))
