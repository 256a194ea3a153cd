"""Claims that hold for what every source tells a ranker: a new file in the folder is tested by existing."""

from dataclasses import replace

import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.errors import IntertaskError
from intertask.options.config import kinds
from intertask.ranking.keeping import FORMS
from intertask.signals import at, dense
from intertask.signals.neighbours import MOST, Neighbours
from intertask.sources.content import Config
from tests.sources.test_conformance import HISTORIES, NUM_ITEMS, fitted, part, world

KINDS = kinds("sources")
every_kind = pytest.mark.parametrize("kind", KINDS)


def signal(kind, training=None):
    return fitted(kind, world() if training is None else training).signal()


def said(own, histories=HISTORIES):
    return dense(own.say(histories), histories.num_users)


@every_kind
def test_what_is_said_is_finite_and_of_every_item(kind):
    found = said(signal(kind))
    assert found.shape == (HISTORIES.num_users, NUM_ITEMS) and found.dtype == np.float32
    assert np.isfinite(found).all()


@every_kind
def test_a_history_is_told_the_same_alone_and_among_others(kind):
    own = signal(kind)
    together = said(own)
    for row in range(HISTORIES.num_users):
        alone = said(own, part(HISTORIES, row, row + 1))[0]
        np.testing.assert_allclose(alone, together[row], rtol=1e-5, atol=1e-6)


@every_kind
def test_a_signal_survives_as_arrays_to_the_bit(kind):
    own = signal(kind)
    again = FORMS[own.form].of(own.arrays(), NUM_ITEMS, "test")
    np.testing.assert_array_equal(said(again), said(own))


@every_kind
def test_the_source_and_its_signal_agree_on_the_best_item(kind):
    source = fitted(kind, world())
    scores, told = source.score(HISTORIES), said(source.signal())
    for row in (0, 1, 3, 5):
        best = scores[row] >= scores[row].max() - 1e-6
        assert told[row][best].max() >= told[row].max() - 1e-5


@every_kind
def test_some_items_of_one_history_are_read_without_the_others(kind):
    own = signal(kind)
    items = np.array([7, 0, 29])
    for row in range(HISTORIES.num_users):
        some = at(own.say(HISTORIES), row, items)
        np.testing.assert_allclose(some, said(own)[row, items], rtol=1e-4, atol=1e-6)


@every_kind
def test_items_that_come_later_change_nothing_of_what_is_said_of_the_others(kind):
    own = signal(kind)
    grown = own.grown(NUM_ITEMS + 3)
    histories = replace(HISTORIES, num_items=NUM_ITEMS + 3)
    np.testing.assert_allclose(said(grown, histories)[:, :NUM_ITEMS], said(own), rtol=1e-5, atol=1e-6)
    again = FORMS[own.form].of(grown.arrays(), NUM_ITEMS + 3, "test")
    np.testing.assert_array_equal(said(again, histories), said(grown, histories))
    assert own.grown(NUM_ITEMS).arrays().keys() == own.arrays().keys()


@every_kind
def test_nothing_is_said_for_or_against_items_that_come_later(kind):
    """Of nobody's neighbours zero, as of most items; of popularity what holds in the mean of all."""
    own, histories = signal(kind), replace(HISTORIES, num_items=NUM_ITEMS + 3)
    later = said(own.grown(NUM_ITEMS + 3), histories)[:, NUM_ITEMS:]
    expected = said(own).mean() if own.form == "constant" else 0.0
    np.testing.assert_allclose(later, expected, rtol=1e-4, atol=1e-6)


@every_kind
def test_arrays_that_are_none_of_it_are_refused(kind):
    own = signal(kind)
    arrays = own.arrays()
    for name, array in arrays.items():
        for wrong in (array[:-1], array.astype(np.float16), None):
            changed = {**arrays, name: wrong} if wrong is not None else arrays.keys() - {name}
            if wrong is None:
                changed = {other: arrays[other] for other in arrays if other != name}
            with pytest.raises(IntertaskError):
                FORMS[own.form].of(changed, NUM_ITEMS, "test")
    with pytest.raises(IntertaskError):
        FORMS[own.form].of({**arrays, "more": np.zeros(3)}, NUM_ITEMS, "test")


@pytest.mark.parametrize(
    ("name", "value"), [("columns", NUM_ITEMS), ("columns", -1), ("values", -1.0), ("starts", 10**9)]
)
def test_a_matrix_that_points_elsewhere_is_refused(name, value):
    arrays = signal("transition").arrays()
    arrays[name] = arrays[name].copy()
    arrays[name][len(arrays[name]) // 2] = value
    with pytest.raises(IntertaskError, match=name):
        Neighbours.of(arrays, NUM_ITEMS, "test")


@pytest.mark.parametrize("kind", ["transition", "popularity"])
def test_counts_after_new_events_are_those_of_all_events(kind):
    log = world()
    first = replace(log, offsets=log.offsets[:31], items=log.items[: log.offsets[30]])
    new = np.arange(log.num_events) >= log.offsets[30]
    first = replace(first, behaviours=first.behaviours[: first.num_events], times=None)
    longer = replace(first, offsets=np.concatenate([first.offsets, np.full(30, first.offsets[-1])]))
    updated = signal(kind, longer).after(log, new)
    np.testing.assert_allclose(said(updated), said(signal(kind, log)), rtol=1e-6)


def test_an_event_that_continues_a_history_is_counted_as_its_successor():
    before = from_lists([[0, 1]], 4)
    own = signal("transition", before).after(from_lists([[0, 1, 2]], 4), np.array([False, False, True]))
    assert said(own, from_lists([[1]], 4))[0].argmax() == 2


def test_recent_counts_fade_as_new_events_come():
    own = signal("recent_popularity", from_lists([[0] * 10], 3))
    log = from_lists([[0] * 10 + [1] * 10], 3)
    assert said(own.after(log, np.arange(20) >= 10))[0].argmax() == 1


def test_an_item_has_no_more_neighbours_than_a_request_can_add_up():
    items = [[0, other] for other in range(1, 2 * MOST) for _ in range(1 + other % 3)]
    own = signal("transition", from_lists(items, 2 * MOST))
    row = own.weights[0].toarray()[0]
    assert (row > 0).sum() == MOST and row[row > 0].min() == 2


def test_the_last_event_alone_is_read_as_it_is_among_empty_histories():
    own = signal("transition")
    assert own.last == 1
    filled = np.flatnonzero(HISTORIES.lengths > 0)
    assert len(filled) < HISTORIES.num_users  # so that both ways are gone
    together = said(own)
    for row in filled:
        alone = own.say(part(HISTORIES, row, row + 1))
        np.testing.assert_array_equal(dense(alone, 1)[0], together[row])
        assert not np.shares_memory(alone.data, own.weights.data)


@pytest.mark.parametrize("last", [0, 1, 5])
def test_content_speaks_of_items_without_an_event_as_of_others(last):
    """Item 2 was never had; what its content is like decides, as of items that were."""
    directions = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1, 3]]
    directions[5] = 0  # no content
    own = Config(last=last).fit_content(from_lists([[0, 1, 3], [4]], 6), directions, 0).signal()
    told = said(own, from_lists([[3, 3, 3, 3, 3, 0], [5], [0, 4]], 6))
    if last == 1:
        assert told[0].tolist() == [1, 1, 1, 0, 0, 0]
    else:
        of_last = {0: (1, 5), 5: (1, 4)}[last]
        expected = np.array(of_last) / np.linalg.norm(of_last)
        np.testing.assert_allclose(told[0], [*[expected[0]] * 3, *[expected[1]] * 2, 0], rtol=1e-5)
    assert not told[1].any()  # what it had has no content
    grown = replace(own.grown(7), content_IF=np.concatenate([directions, directions[:1]]))
    later = said(grown, from_lists([[0]], 7))[0]
    assert later[6] == later[0] == 1


def test_content_of_a_length_that_is_none_is_refused():
    own = signal("content")
    arrays = own.arrays()
    for wrong in (2 * arrays["content"], np.full_like(arrays["content"], np.nan)):
        with pytest.raises(IntertaskError, match="content"):
            FORMS[own.form].of({**arrays, "content": wrong}, NUM_ITEMS, "test")
