"""What was had before: the latest first, unless another was had more often."""

from dataclasses import replace

import numpy as np

from intertask.data.sequences import from_lists
from intertask.sources.repeat import Config

TRAINING = from_lists([[0, 1, 2, 3], [3, 3]], 6)


def order(source, history):
    scores = source.score(from_lists([history], 6))[0]
    return np.argsort(-scores, kind="stable").tolist()


def test_the_last_item_comes_first_and_then_the_one_before_it():
    assert order(Config().fit(TRAINING, 0), [5, 4, 2])[:3] == [2, 4, 5]


def test_an_item_had_often_is_before_the_last_one_where_events_count_for_long():
    assert order(Config(half_life=1000.0).fit(TRAINING, 0), [5, 5, 2])[:2] == [5, 2]
    assert order(Config(half_life=0.5).fit(TRAINING, 0), [5, 5, 2])[:2] == [2, 5]


def test_what_was_never_had_follows_by_popularity_below_the_oldest_event():
    assert order(Config().fit(TRAINING, 0), [5] + [2] * 400)[:4] == [2, 5, 3, 0]


def test_an_event_counts_half_as_much_after_the_half_life():
    scores = Config(half_life=2.0).fit(TRAINING, 0).score(from_lists([[4, 1, 5]], 6))[0]
    assert np.isclose(scores[4] / scores[5], 0.5, atol=1e-5)


def test_events_of_one_behaviour_are_told_apart_and_the_others_pass_all_the_same():
    training = replace(TRAINING, behaviours=np.array([0, 0, 1, 1, 1, 1], np.uint8), num_behaviours=3)
    assert Config().fit(training, 0).signals_of() == {}
    assert Config(each_behaviour=True).fit(TRAINING, 0).signals_of() == {}  # of one there is nothing to tell
    own = Config(half_life=1.0, each_behaviour=True).fit(training, 0).signals_of()
    assert list(own) == [1, 0]  # by their frequency; there is no event of the third
    asked = replace(from_lists([[4, 1, 5, 1]], 6), behaviours=np.array([0, 1, 0, 0], np.uint8))
    assert dict(zip(*places(own[1].say(asked)), strict=True)) == {1: log1p(50 / 4)}
    assert dict(zip(*places(own[0].say(asked)), strict=True)) == {
        4: log1p(50 / 8),
        5: log1p(50 / 2),
        1: log1p(50),
    }


def places(said):
    return said.indices.tolist(), said.data.tolist()


def log1p(number):
    return float(np.log1p(np.float32(number)))
