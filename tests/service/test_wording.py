"""What is wrong with a body is said in words of its own, at the place where it is."""

import pytest

from intertask.service.bodies import EventsBody
from intertask.service.experiment_bodies import ExperimentBody
from intertask.service.list_bodies import RecommendBody
from intertask.service.reading import checked
from intertask.service.refusals import RefusedError

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
        (ExperimentBody, {"name": 5}, "name: expected text, found 5"),
    ],
)
def test_a_body_is_refused_in_plain_words(kind, table, words):
    with pytest.raises(RefusedError) as caught:
        checked(table, kind)
    assert str(caught.value).startswith(words)
