from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from intertask.events import trainable
from intertask.events.feed import EventFeed
from intertask.train.config import TrainConfig
from intertask.train.stream import Stream, together, turns
from tests import worlds
from tests.train import runs


def stream(name, num_users, weight=1.0):
    corpus = worlds.corpus(worlds.varied(num_users=num_users, longest=8))
    recipe = runs.recipe()
    model = trainable.build(recipe, corpus, 0)
    split = recipe.split.split(corpus.sequences)
    feed = EventFeed(corpus.sequences, split, recipe.max_length, recipe.train.windows)
    return Stream.of(model, feed, TrainConfig(batch_tokens=20), name, weight)


def in_turn(streams, temperature, seed, epoch):
    """The stream of each step, and the rows of its batch."""
    return [alone for (alone,) in turns(streams, temperature, seed, epoch)]


def counted(streams, temperature=1.0, epoch=0):
    found = Counter(own.name for own, _ in in_turn(streams, temperature, 0, epoch))
    return [found[own.name] for own in streams]


@pytest.fixture(scope="module")
def two():
    return [stream("large", 120), stream("small", 20)]


def test_by_size_each_window_has_its_turn_once_an_epoch(two):
    order = in_turn(two, 1.0, 0, 0)
    for own in two:
        rows = np.concatenate([rows for name, rows in order if name is own])
        assert sorted(rows.tolist()) == list(range(len(own.feed.lengths)))


def test_a_temperature_and_a_weight_move_the_turns_and_not_their_number(two):
    large, small = counted(two)
    warm, even = counted(two, 2.0), counted(two, 1e9)
    assert sum(warm) == sum(even) == large + small
    assert warm == [
        round((large + small) * part / (large**0.5 + small**0.5)) for part in np.sqrt([large, small])
    ]
    assert abs(even[0] - even[1]) <= 1
    heavy = counted([two[0], stream("small", 20, weight=3.0)])
    assert heavy[1] == round((large + small) * 3 * small / (large + 3 * small))


def test_the_smallest_weight_has_one_turn(two):
    assert counted([two[0], stream("small", 20, weight=1e-9)])[1] == 1


def test_one_that_comes_round_again_has_another_order(two):
    small = two[1]
    rows = [rows.tolist() for own, rows in in_turn(two, 1e9, 0, 0) if own is small]
    once = len(small.order(0, 0))
    assert len(rows) > once and sorted(np.concatenate(rows[:once])) == list(range(len(small.feed.lengths)))
    assert rows[once : 2 * once] != rows[:once]


def test_turns_are_spread_over_the_epoch_and_differ_between_epochs(two):
    names = [own.name for own, _ in in_turn(two, 1.0, 0, 0)]
    places = np.flatnonzero(np.array(names) == "small")
    assert np.ptp(np.diff(places)) <= 1
    one, again, other = ([rows.tolist() for _, rows in in_turn(two, 1.0, 0, epoch)] for epoch in (0, 0, 1))
    assert one == again != other


def test_together_each_step_has_a_batch_of_each_and_an_epoch_sees_each_row_once(two):
    two = [replace(two[0], batch_tokens=100), two[1]]
    steps = together(two, 0, 0)
    assert all([own for own, _ in step] == two for step in steps)
    assert len(steps) == len(two[0].order(0, 0)) > len(two[1].order(0, 0))
    for place, stream in enumerate(two):
        batches = [step[place][1] for step in steps]
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(stream.feed.lengths)))
        assert all(stream.feed.lengths[rows].max() * len(rows) <= stream.batch_tokens for rows in batches)


def test_together_a_stream_of_fewer_rows_than_steps_begins_again(two):
    large, small = two
    large = replace(large, batch_tokens=1)  # a row a step
    steps = together([large, small], 0, 0)
    rows = [step[1][1].tolist() for step in steps]
    once = len(small.feed.lengths)
    assert len(rows) == len(large.feed.lengths) > once
    assert sorted(np.concatenate(rows[:once]).tolist()) == list(range(once))
    assert rows[once : 2 * once] != rows[:once]
