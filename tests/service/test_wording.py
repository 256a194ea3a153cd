"""What is wrong with a body is said in words of its own, at the place where it is."""

import pytest

from intertask.service.bodies import EventsBody, ItemsBody
from intertask.service.browsing_bodies import PopularQuery
from intertask.service.experiment_bodies import ExperimentBody
from intertask.service.list_bodies import RecommendBody
from intertask.service.reading import checked, of_query
from intertask.service.refusals import RefusedError
from intertask.service.rule_bodies import RuleBody

EARLY, LATE = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
EVENT = {"user": "u", "item": "i", "behaviour": "view"}


@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [
        (EventsBody, {"events": []}, "events: expected at least 1 of them, found none"),
        (EventsBody, {"events": EVENT}, "events: expected a list, found "),
        (EventsBody, {"events": [5]}, "events.0: expected an object, found 5"),
        (EventsBody, {"events": [EVENT] * 5_001}, "events: expected at most 5,000 of them, found 5,001"),
        (EventsBody, {"events": [EVENT | {"x": 1}]}, "events.0.x: expected one of id, user, item, behaviour"),
        (EventsBody, [], "body: expected an object, found []"),
        (RecommendBody, {"history": ["x"]}, "history.0: expected an object, found 'x'"),
        (RecommendBody, {"history": [{"item": "i", "x": 1}]}, "history.0.x: expected one of item"),
        (RecommendBody, {"user": "u", "k": 1.5}, "k: expected a whole number, found 1.5"),
        (RecommendBody, {"user": "u", "k": "3"}, "k: expected a whole number, found '3'"),
        (RecommendBody, {"user": "u", "k": 0}, "k: expected 1 or more, found 0"),
        (RecommendBody, {"user": "u", "k": 1_001}, "k: expected 1,000 or less, found 1001"),
        (RecommendBody, {"user": "u", "explain": 1}, "explain: expected true or false, found 1"),
        (RecommendBody, {"user": "u", "seen": {"day": 3}}, "seen.day: expected one of behaviours, days"),
        (RecommendBody, {"user": "u", "seen": 5}, "seen: expected true or false or an object, found 5"),
        (RecommendBody, {"user": "u", "seen": {"days": -1}}, "seen.days: expected "),
        (RecommendBody, {"k": 3}, "body: expected a user, a history or attributes, found none of them"),
        (
            ItemsBody,
            {"items": [{"item": "i", "properties": {"colour": {"a": 1}}}]},
            "items.0.properties.colour: expected text or true or false or a whole number or a number or ",
        ),
        (
            ItemsBody,
            {"items": [{"item": "i", "properties": {"colours": ["red", 2]}}]},
            "items.0.properties.colours.1: expected text, found 2",
        ),
        (
            EventsBody,
            {"events": [{"user": "u"}]},
            "events.0.item: expected a value, found nothing; add 'item'",
        ),
        (
            RuleBody,
            {"name": "r", "filter": "a", "since": LATE, "until": EARLY},
            "body: expected since before",
        ),
        (ExperimentBody, {"name": 5}, "name: expected text, found 5"),
    ],
)
def test_a_body_is_refused_in_plain_words(kind, table, words):
    with pytest.raises(RefusedError) as caught:
        checked(table, kind)
    assert str(caught.value).startswith(words)


def test_numbers_of_a_query_are_numbers_below_zero_as_well():
    for query, words in (
        (b"k=-1", "k: expected 1 or more, found -1"),
        (b"k=x", "k: expected a whole number"),
    ):
        with pytest.raises(RefusedError) as caught:
            of_query(query, PopularQuery)
        assert str(caught.value).startswith(words)
