from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from intertask.data.sequences import from_lists
from intertask.data.vocabulary import Vocabulary
from intertask.errors import RequestError
from intertask.events.requests import Reader
from intertask.options.arguments import moment

READER = Reader(
    Vocabulary(pl.Series("id", ["ann", "bö", "cy"])),
    Vocabulary(pl.Series("id", ["a", "b", "c"])),
    ("buy", "view"),
    from_lists([[0, 1, 2], [], [2, 2]], 3, [[1, 1, 0], [], [0, 1]], [[10, 20, 30], [], [5, 6]]),
)
NOON = datetime(2024, 5, 1, 12)


def events(asked):
    """What each one's window holds: items, behaviours and times."""
    found = []
    for start, stop in zip(asked.windows.starts, asked.windows.stops, strict=True):
        arrays = (asked.sequences.items, asked.sequences.behaviours, asked.sequences.times)
        found.append([array[start:stop].tolist() for array in arrays])
    return found


def test_users_are_asked_by_their_stored_events_in_the_order_of_the_question():
    asked = READER.read(["cy", "ann", "cy", "bö"], None)
    assert asked.column == "user"
    assert asked.names.to_list() == ["cy", "ann", "cy", "bö"]
    assert events(asked) == [
        [[2, 2], [0, 1], [5, 6]],
        [[0, 1, 2], [1, 1, 0], [10, 20, 30]],
        [[2, 2], [0, 1], [5, 6]],
        [[], [], []],
    ]


def test_histories_may_tell_behaviours_and_times_or_not():
    later = NOON + timedelta(hours=1)
    noon = moment(NOON, "at")
    asked = READER.read(
        None, [["b", ("c", "view")], [], [("a", "view", NOON), "b", ("c", "buy", later)], [["a", "view"]]]
    )
    assert asked.column == "history"
    assert asked.names.to_list() == [0, 1, 2, 3]
    assert events(asked) == [
        [[1, 2], [0, 1], [0, 0]],
        [[], [], []],
        [[0, 1, 2], [1, 0, 0], [noon, noon, noon + 3600]],  # an event without time happened with the last one
        [[0], [1], [0]],
    ]


def test_a_history_that_contradicts_its_times_is_sorted_by_them_and_stays_in_order_where_they_are_equal():
    day = [NOON + timedelta(days=number) for number in range(3)]
    newest_first = [("c", "buy", day[2]), ("b", "buy", day[1]), ("a", "view", day[0]), ("b", "view", day[0])]
    with_the_one_before = [("c", "buy", day[1]), "b", ("a", "view", day[0]), "a"]
    with_the_first_known = ["c", ("b", "view", day[1]), ("a", "view", day[0])]
    asked = READER.read(None, [newest_first, with_the_one_before, with_the_first_known])
    times = [moment(when, "at") for when in day]
    assert events(asked) == [
        [[0, 1, 1, 2], [1, 1, 0, 0], [times[0], times[0], times[1], times[2]]],
        [[0, 0, 2, 1], [1, 0, 0, 0], [times[0], times[0], times[1], times[1]]],
        [[0, 2, 1], [1, 0, 1], [times[0], times[1], times[1]]],
    ]


def test_times_order_the_history_of_a_model_without_a_clock_too():
    reader = Reader(READER.users, READER.items, READER.behaviours, from_lists([[0]], 3))
    asked = reader.read(None, [[("b", "buy", NOON), ("a", "buy", NOON - timedelta(days=1))], ["b", "a"]])
    assert asked.sequences.items.tolist() == [0, 1, 1, 0]


def test_unknown_items_are_left_out_of_their_own_history_and_counted():
    asked = READER.read(None, [["a", ("x", "view"), ("b", "view")], ["y"], ["c"]])
    with pytest.warns(UserWarning, match="2 of 5 events are of items that the model does not know; left out"):
        asked.warn()
    assert [found[:2] for found in events(asked)] == [[[0, 1], [0, 1]], [[], []], [[2], [0]]]


def test_nobody_is_asked_for_by_an_empty_list():
    assert len(READER.read([], None)) == 0
    assert len(READER.read(None, [])) == 0


@pytest.mark.parametrize(
    ("users", "histories", "message"),
    [
        (None, None, "recommend: expected users=[...] or histories=[...], found neither"),
        (["ann"], [["a"]], "recommend: expected users=[...] or histories=[...], found both"),
        (
            ["ann", "dan", "eve"],
            None,
            "users: expected users of the log, found 'dan', 2 of 3 unknown; ask by a history for "
            "somebody the log has never seen",
        ),
        ("ann", None, "users: expected a list of ids, found 'ann'; write users=['ann']"),
        (7, None, "users: expected a list of ids, found 7; write users=[7]"),
        (
            None,
            [["a"], ["a", ("b", "steal")]],
            "histories[1]: expected a behaviour among buy, view, found 'steal'",
        ),
        (
            None,
            [[("a", "buy", "noon")]],
            "histories[0]: expected a datetime, found 'noon'; datetime.fromisoformat(...) reads one",
        ),
        (
            None,
            [["a"], [()]],
            "histories[1]: expected items, (item, behaviour) or (item, behaviour, time), found ()",
        ),
        (
            None,
            [[1.5]],
            "histories[0]: expected items, (item, behaviour) or (item, behaviour, time), found 1.5",
        ),
        (
            None,
            ["a", "b"],
            "histories[0]: expected a list of events, found 'a'; pass a list of histories, each a list: "
            "histories=[[...], ...]",
        ),
        (
            None,
            [3],
            "histories[0]: expected a list of events, found 3; pass a list of histories, each a list: "
            "histories=[[...], ...]",
        ),
    ],
)
def test_a_mistake_is_one_line(users, histories, message):
    with pytest.raises(RequestError) as caught:
        READER.read(users, histories)
    assert str(caught.value) == message


def test_unknown_items_of_a_list_are_counted_and_named():
    assert READER.item_places(["c", "a"], "allow").tolist() == [2, 0]
    with pytest.raises(RequestError, match=r"^allow: expected items of the log, found 'x', 1 of 2 unknown"):
        READER.item_places(["c", "x"], "allow")
    with pytest.raises(RequestError, match=r"^deny: expected a list of ids, found 'c'; write deny=\['c'\]"):
        READER.item_places("c", "deny")


def test_blanks_around_an_id_are_no_part_of_it_as_in_a_log():
    assert READER.read(["ann ", "\tbö", "cy"], None).names.to_list() == ["ann", "bö", "cy"]
    assert READER.read(None, [[" a", ("b\u200b", "view")]]).sequences.items.tolist() == [0, 1]
    exact = Reader(Vocabulary(pl.Series(["u", "u "])), READER.items, READER.behaviours, READER.stored)
    assert exact.read(["u ", "u"], None).names.to_list() == ["u ", "u"]  # of a model that was trained before


def test_ids_may_be_numpy_integers_series_or_spelled_numbers():
    numbers = Reader(
        Vocabulary(pl.Series("id", [7, 8])),
        Vocabulary(pl.Series("id", [10, 20])),
        ("event",),
        from_lists([[0], [1]]),
    )
    for users in ([8, 7], ["8", "7"], np.array([8, 7]), pl.Series([8, 7])):
        asked = numbers.read(users, None)
        assert asked.names.to_list() == [8, 7]
        assert asked.windows.starts.tolist() == [1, 0]
    for history in ([20, 10], ["20", "10"], np.array([20, 10]), [(np.int64(20), "event"), 10]):
        assert numbers.read(None, [history]).sequences.items.tolist() == [1, 0]


def test_a_naive_time_is_utc_as_in_the_log():
    assert moment(datetime(1970, 1, 2), "at") == 86_400
    assert moment(datetime(1970, 1, 2, tzinfo=UTC), "at") == 86_400
    assert moment(datetime(1970, 1, 2, tzinfo=timezone(timedelta(hours=2))), "at") == 86_400 - 7200


def test_given_events_without_times_happened_when_the_request_was_made() -> None:
    users, items = Vocabulary(pl.Series(["u"])), Vocabulary(pl.Series([1, 2]))
    stored = from_lists([[0, 1]], 2, times=[[5, 6]])
    now = moment(datetime(2020, 1, 1, tzinfo=UTC), "at")
    asked = Reader(users, items, ("view",), stored).read(None, [[1, 2]], now)
    assert asked.sequences.times is not None
    assert asked.sequences.times.tolist() == [now] * 2
