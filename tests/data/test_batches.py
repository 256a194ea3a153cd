from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.batches import history_batch, plan, training_batch
from intertask.data.seam import INPUT
from intertask.data.sequences import Sequences, from_lists
from intertask.data.windows import Windows, histories_before, training_windows


@st.composite
def logs(draw: st.DrawFn) -> Sequences:
    """Users whose events all differ, so that a misplaced one shows."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6))
    ends = np.cumsum(lengths)
    places = [range(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    return from_lists(
        [[100 + place for place in user] for user in places],
        200,
        behaviours=[[place % 3 for place in user] for user in places],
        times=[[1000 + 7 * place for place in user] for user in places],
        labels={
            "liked": [[float("nan") if place % 4 == 0 else place / 2 for place in user] for user in places]
        },
    )


@st.composite
def stops(draw: st.DrawFn, sequences: Sequences) -> np.ndarray:
    bounds = zip(sequences.offsets[:-1].tolist(), sequences.offsets[1:].tolist(), strict=True)
    return np.array([draw(st.integers(low, high)) for low, high in bounds], dtype=np.int64)


def targets_of(windows: Windows) -> Counter:
    """How often each place is a target: every event of a window but its first."""
    pairs = zip(windows.starts.tolist(), windows.stops.tolist(), strict=True)
    return Counter(place for start, stop in pairs for place in range(start + 1, stop))


@given(st.data(), logs(), st.integers(1, 5))
def test_all_windows_make_every_event_but_a_users_first_a_target_once(data, sequences, max_length):
    train_stop = data.draw(stops(sequences))
    windows = training_windows(sequences, train_stop, max_length, "all")
    starts = sequences.offsets[:-1].tolist()
    expected = [p for start, stop in zip(starts, train_stop, strict=True) for p in range(start + 1, stop)]
    assert targets_of(windows) == Counter(expected)
    assert (windows.lengths <= max_length + 1).all()


@given(st.data(), logs(), st.integers(1, 5))
def test_last_windows_are_the_end_of_the_training_events(data, sequences, max_length):
    train_stop = data.draw(stops(sequences))
    windows = training_windows(sequences, train_stop, max_length, "last")
    expected = [
        (max(start, stop - max_length - 1), stop)
        for start, stop in zip(sequences.offsets[:-1].tolist(), train_stop.tolist(), strict=True)
        if stop - start >= 2
    ]
    assert list(zip(windows.starts.tolist(), windows.stops.tolist(), strict=True)) == expected


@given(st.data(), logs(), st.integers(1, 5), st.sampled_from(["last", "all"]))
def test_no_window_leaves_its_user_or_the_training_events(data, sequences, max_length, which):
    train_stop = data.draw(stops(sequences))
    windows = training_windows(sequences, train_stop, max_length, which)
    owners = sequences.users_of(windows.starts)
    assert (owners == sequences.users_of(windows.stops - 1)).all()
    assert (windows.stops <= train_stop[owners]).all()


@given(
    st.lists(st.integers(1, 40), max_size=60),
    st.integers(1, 100),
    st.one_of(st.none(), st.integers(0, 5)),
)
def test_a_plan_covers_each_row_once_within_its_tokens(lengths, tokens, seed):
    random = None if seed is None else np.random.default_rng(seed)
    lengths = np.array(lengths, dtype=np.int64)
    batches = plan(lengths, tokens, random)
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= tokens


def test_a_plan_meets_rows_of_like_length_and_other_ones_each_time():
    lengths = np.random.default_rng(0).integers(1, 200, 2000)
    plans = [plan(lengths, 4096, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    padded = sum(len(batch) * lengths[batch].max() for batch in plans[0])
    assert padded < 1.25 * lengths.sum()
    assert all(map(np.array_equal, plans[0], plans[1]))
    assert {tuple(sorted(b)) for b in plans[0]} != {tuple(sorted(b)) for b in plans[2]}


@given(st.data(), logs(), st.one_of(st.none(), st.integers(1, 5)))
def test_histories_end_before_their_target_and_are_the_users_own(data, sequences, max_length):
    if sequences.num_events == 0:
        return
    places = data.draw(st.lists(st.integers(0, sequences.num_events - 1), min_size=1, max_size=8))
    windows = histories_before(sequences, np.array(places, dtype=np.int64), max_length)
    for target, start, stop in zip(places, windows.starts, windows.stops, strict=True):
        owner = sequences.users_of(np.array([target]))[0]
        first = sequences.offsets[owner]
        assert stop == target
        assert start == (first if max_length is None else max(first, target - max_length))


def slow_rows(sequences: Sequences, starts, lengths, array, padding=0):
    width = max(lengths, default=0)
    rows = [
        [array[s + n].item() for n in range(size)] + [padding] * (width - size)
        for s, size in zip(starts, lengths, strict=True)
    ]
    return np.array(rows).reshape(len(rows), width)


@given(st.data(), logs())
def test_a_training_batch_equals_its_slow_construction(data, sequences):
    windows = training_windows(sequences, sequences.offsets[1:], data.draw(st.integers(1, 5)), "all")
    if not len(windows):
        return
    batch = training_batch(sequences, windows)
    starts, lengths = windows.starts.tolist(), (windows.lengths - 1).tolist()
    events, following = batch.inputs[INPUT], batch.target("any")
    for found, array, shift in (
        (events.items_BL, sequences.items, 0),
        (events.behaviours_BL, sequences.behaviours, 0),
        (events.times_BL, sequences.times, 0),
        (events.query_times_BL, sequences.times, 1),
        (following.items_BL, sequences.items, 1),
        (following.behaviours_BL, sequences.behaviours, 1),
        (following.labels["liked"], sequences.labels["liked"], 1),
    ):
        begin = [start + shift for start in starts]
        np.testing.assert_array_equal(found.numpy(), slow_rows(sequences, begin, lengths, array))
    assert events.lengths_B.tolist() == lengths and batch.num_tokens == sum(lengths)
    mask = [[place < length for place in range(max(lengths))] for length in lengths]
    assert following.mask_BL.tolist() == mask


LOG = from_lists([[1, 2, 3], [4]], 5, times=[[10, 20, 30], [50]])
WINDOWS = Windows(np.array([0, 3]), np.array([3, 4]))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, [[20, 30, 30], [50, 0, 0]]),  # the moment of the last event
        ([99, 60], [[20, 30, 99], [60, 0, 0]]),
        ([5, 60], [[20, 30, 30], [60, 0, 0]]),  # nobody asks before their own last event
    ],
)
def test_a_history_is_asked_at_its_last_event(asked, expected):
    batch = history_batch(LOG, WINDOWS, None if asked is None else np.array(asked))
    events = batch.inputs[INPUT]
    assert events.query_times_BL.tolist() == expected
    assert events.items_BL.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert events.lengths_B.tolist() == [3, 1]
    assert not batch.targets


def test_a_log_without_clock_gives_batches_without_times():
    unclocked = from_lists([[1, 2, 3], [4]], 5)
    for batch in (
        history_batch(unclocked, WINDOWS, np.array([1, 2])),
        training_batch(unclocked, WINDOWS[:1]),
    ):
        assert batch.inputs[INPUT].times_BL is None and batch.inputs[INPUT].query_times_BL is None
