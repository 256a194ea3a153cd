import copy
from datetime import datetime, timedelta

import polars as pl
import pytest

from intertask import EventLog, Recommender
from intertask.errors import RequestError
from tests import shop
from tests.items.test_content import recipe
from tests.newcomers.test_items import catalogue, new


@pytest.fixture(scope="module")
def trained() -> Recommender:
    model = Recommender(recipe()).fit(shop.corpus(), catalogue())
    model.add_items(new(3))
    return model


@pytest.fixture
def model(trained) -> Recommender:
    return copy.copy(trained)


def log(*events: tuple[str, str]) -> EventLog:
    """Events a minute apart, after those of the shop."""
    start = datetime(2024, 6, 1)
    rows = [(user, item, start + timedelta(minutes=n), "buy") for n, (user, item) in enumerate(events)]
    return EventLog.read(
        pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row"),
        time="time",
        behaviour="behaviour",
    )


def score(model: Recommender, history: list[str], item: str) -> float:
    found = model.recommend(histories=[history], k=1, allow=[item], task="next", exclude_seen=False)
    return float(found["score"].item())


def test_first_events_raise_an_item_where_it_was_had(model):
    users = [shop.user_id(n) for n in range(6)]
    before = [score(model, model.history(user)["item"].to_list(), "new 0") for user in users]
    other = score(model, [shop.item_id(0)], "new 1")
    found = model.warm(log(*((user, "new 0") for user in users)))
    assert found.select("item", "events", "evidence").row(0) == ("new 0", 6, 6)
    assert found["moved"].item() > 0
    after = [score(model, model.history(user)["item"].to_list(), "new 0") for user in users]
    assert sum(after) > sum(before)
    assert score(model, [shop.item_id(0)], "new 1") == pytest.approx(other)


def test_what_was_warmed_is_kept(model, tmp_path):
    model.warm(log((shop.user_id(1), "new 0"), (shop.user_id(2), "new 0")))
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    users = model.users.to_list()[:4]
    assert loaded.recommend(users, k=18).equals(model.recommend(users, k=18))
    again = log((shop.user_id(3), "new 0"))
    assert loaded.warm(again).equals(model.warm(again))
    assert loaded.warm(again)["evidence"].item() == 4


def test_events_of_the_log_before_it_are_an_items_history(model):
    found = model.warm(log(("somebody", shop.item_id(1)), ("somebody", "new 2")))
    assert found["item"].to_list() == ["new 2"]


def test_what_cannot_warm_is_refused_and_changes_nothing(model, trained):
    with pytest.raises(RequestError, match="an event of a new item, behind an event of its user"):
        model.warm(log((shop.user_id(1), shop.item_id(0))))
    with pytest.raises(RequestError, match="an event of a new item"):
        model.warm(log(("somebody", "new 0")))  # nothing is known of whom
    with pytest.raises(RequestError, match="an EventLog"):
        model.warm(pl.DataFrame())
    with pytest.raises(RequestError, match="a model that reads the content"):
        shop.recommender().warm(log((shop.user_id(1), "new 0")))
    assert model.answerer is trained.answerer


def test_events_of_unknown_items_are_told(model):
    with pytest.warns(UserWarning, match="1 events of items that the model does not know"):
        model.warm(log((shop.user_id(1), "nobody's"), (shop.user_id(1), "new 0")))


def test_a_model_without_its_users_events_cannot_warm(model, tmp_path):
    model.save(tmp_path / "model", histories=False)
    with pytest.raises(RequestError, match="a model with the events of its users"):
        Recommender.load(tmp_path / "model").warm(log((shop.user_id(1), "new 0")))


def test_an_event_that_an_update_stored_is_not_read_behind_itself(trained):
    first, model = log(("somebody", "new 0")), copy.copy(trained)
    model.update(first)
    with pytest.raises(RequestError, match="behind an event of its user"):
        model.warm(first)


def test_later_stored_events_are_no_history(trained):
    old = pl.DataFrame({"user": [shop.user_id(1)], "item": ["new 0"], "time": [1], "behaviour": ["buy"]})
    with pytest.raises(RequestError, match="behind an event of its user"):
        copy.copy(trained).warm(EventLog.read(old, time="time", behaviour="behaviour"))


def test_events_without_times_are_refused_where_the_model_has_them(model, trained):
    rows = pl.DataFrame({"user": [shop.user_id(1)], "item": ["new 0"], "behaviour": ["buy"]})
    with pytest.raises(RequestError, match="warm: expected events with times"):
        model.warm(EventLog.read(rows, behaviour="behaviour"))
    assert model.answerer is trained.answerer


def test_a_behaviour_that_the_model_does_not_know_is_refused(model, trained):
    rows = pl.DataFrame({"user": [shop.user_id(1)], "item": ["new 0"], "time": [1], "behaviour": ["steal"]})
    with pytest.raises(RequestError, match=r"warm: expected behaviours of the training: buy.*'steal'"):
        model.warm(EventLog.read(rows, time="time", behaviour="behaviour"))
    assert model.answerer is trained.answerer
