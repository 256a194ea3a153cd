from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from intertask.data.sequences import Sequences, from_lists
from intertask.errors import DataError, LeakageError
from intertask.events.splits import LeaveOneOut, Split, TimeSplit, UserSplit


@st.composite
def logs(draw: st.DrawFn, shortest: int = 0) -> Sequences:
    """Users with any number of events, many of them at equal times."""
    times = draw(
        st.lists(
            st.lists(st.integers(0, 12), min_size=shortest, max_size=9).map(sorted), min_size=1, max_size=8
        )
    )
    kinds = [draw(st.lists(st.integers(0, 2), min_size=len(user), max_size=len(user))) for user in times]
    return from_lists([[0] * len(user) for user in times], 2, kinds, times)


time_splits = st.builds(
    TimeSplit,
    train=st.floats(0.1, 0.6),
    validation=st.floats(0.1, 0.35),
    targets=st.sampled_from(["last", "each", "successive"]),
    validate_on=st.sampled_from(["last", "each", "successive"]),
)


def split_or_assume(config: LeaveOneOut | TimeSplit, sequences: Sequences) -> Split:
    """The split, where the log allows one."""
    assume(sequences.num_events > 0)
    try:
        return config.split(sequences)
    except DataError:
        assume(False)
        raise


def training_places(split: Split, sequences: Sequences) -> list[int]:
    """Places of the training events, the slow way."""
    return [
        place
        for user in range(sequences.num_users)
        for place in range(sequences.offsets[user], split.train_stop[user])
    ]


@given(logs(), time_splits)
def test_no_training_event_lies_at_or_after_the_cut(sequences, config):
    split = split_or_assume(config, sequences)
    trained = sequences.times[training_places(split, sequences)]
    assert (trained < split.cuts[0]).all()
    assert (sequences.times[split.validation] >= split.cuts[0]).all()
    assert (sequences.times[split.validation] < split.cuts[1]).all()
    assert (sequences.times[split.test] >= split.cuts[1]).all()


@given(logs(), time_splits)
def test_every_event_before_the_cut_is_trained_on(sequences, config):
    split = split_or_assume(config, sequences)
    before = np.flatnonzero(sequences.times < split.cuts[0])
    assert training_places(split, sequences) == before.tolist()


@given(logs(), st.one_of(time_splits, st.just(LeaveOneOut())))
def test_targets_follow_the_users_training_and_test_follows_validation(sequences, config):
    split = split_or_assume(config, sequences)
    for part in ("validation", "test"):
        targets = split.targets(part)
        users = sequences.users_of(targets)
        assert (targets >= split.train_stop[users]).all()
        assert (targets > sequences.offsets[users]).all()  # there is a history
        assert (np.diff(targets) > 0).all()
    validated = dict(zip(sequences.users_of(split.validation).tolist(), split.validation, strict=True))
    for user, target in zip(sequences.users_of(split.test).tolist(), split.test, strict=True):
        assert target > validated.get(user, -1)


@given(logs(), time_splits)
def test_time_targets_are_the_last_or_all_events_of_each_part(sequences, config):
    split = split_or_assume(config, sequences)
    lows, highs = split.cuts, (split.cuts[1], np.inf)
    for part, low, high in zip(("validation", "test"), lows, highs, strict=True):
        expected = []
        asked = config.targets if part == "test" else config.validate_on
        for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
            inside = [place for place in range(start, stop) if low <= sequences.times[place] < high]
            if asked != "successive":
                kinds = [sequences.behaviours[place] if asked == "each" else 0 for place in inside]
                inside = [p for n, p in enumerate(inside) if kinds[n] not in kinds[n + 1 :]]
            expected += [place for place in inside if place > start]
        assert split.targets(part).tolist() == expected


@given(logs())
def test_leave_one_out_takes_the_last_two_of_users_with_three_events(sequences):
    split = split_or_assume(LeaveOneOut(), sequences)
    for user, (start, stop) in enumerate(zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)):
        if stop - start >= 3:
            assert split.train_stop[user] == stop - 2
            assert stop - 2 in split.validation
            assert stop - 1 in split.test
        else:
            assert split.train_stop[user] == stop
            assert not set(range(start, stop)) & {*split.validation.tolist(), *split.test.tolist()}


@given(logs(), st.integers(1, 4))
def test_events_set_aside_are_as_if_they_were_not_there(sequences, count):
    """As the split of a log that ends earlier, in which those who had three events keep two."""
    config = LeaveOneOut(set_aside=count)
    split = split_or_assume(config, sequences)
    kept = [
        length if length < 3 else max(2, length - count) for length in np.diff(sequences.offsets).tolist()
    ]
    offsets = np.cumsum([0, *kept])
    plain = LeaveOneOut().split(from_lists([[0] * length for length in kept], 1))
    shift = sequences.offsets - offsets
    assert (split.train_stop == plain.train_stop + shift[:-1]).all()
    users = np.flatnonzero(np.asarray(kept) >= 3)
    assert (split.validation == plain.validation + shift[users]).all()
    assert (split.test == plain.test + shift[users]).all()
    assert split.description == f"leave_one_out, {count} set aside"


@given(logs(), st.one_of(time_splits, st.just(LeaveOneOut())))
def test_training_sequences_hold_the_training_events_alone(sequences, config):
    numbered = replace(
        sequences,
        items=np.arange(sequences.num_events, dtype=np.int32),
        num_items=sequences.num_events,
        labels={"own": np.arange(sequences.num_events, dtype=np.float32)},
    )
    split = split_or_assume(config, numbered)
    training = split.training(numbered)
    places = training_places(split, numbered)
    assert training.items.tolist() == places
    assert training.labels["own"].tolist() == places
    assert training.times.tolist() == numbered.times[places].tolist()
    assert training.num_users == numbered.num_users
    assert training.lengths.tolist() == (split.train_stop - numbered.offsets[:-1]).tolist()


# Two users with four events each; the honest split trains on two, validates the third, tests the fourth.
LOG = from_lists([[0, 1, 2, 3], [3, 2, 1, 0]], times=[[10, 20, 30, 40], [11, 21, 31, 41]])
HONEST = Split(np.array([2, 6]), np.array([2, 6]), np.array([3, 7]), "by hand", cuts=(30, 40))


def test_an_honest_split_passes():
    HONEST.check(LOG)


@pytest.mark.parametrize(
    ("change", "user"),
    [
        ({"train_stop": np.array([5, 6])}, 0),  # into the next user's events
        ({"train_stop": np.array([2, 3])}, 1),  # ends before the user's own begin
        ({"train_stop": np.array([2, 7])}, 1),  # trains on the validation target
        ({"train_stop": np.array([4, 6]), "validation": np.array([6])}, 0),  # trains on the test target
        ({"validation": np.array([1, 6])}, 0),  # asks for a training event
        ({"test": np.array([3, 5])}, 1),  # tests a training event
        ({"validation": np.array([3, 6]), "cuts": None}, 0),  # tests what was validated
        ({"validation": np.array([2, 7]), "test": np.array([3, 6]), "cuts": None}, 1),  # tests before
        ({"cuts": (20, 40)}, 0),  # a training event at the cut
        ({"cuts": (15, 40)}, 0),  # and one after it
        ({"cuts": (30, 31)}, 1),  # a validation target at the test's cut
        ({"cuts": (31, 40)}, 0),  # a validation target before its own
        ({"cuts": (30, 41)}, 0),  # a test target before the test's cut
    ],
)
def test_a_leaking_split_is_refused_and_names_the_user(change, user):
    with pytest.raises(LeakageError, match=rf"^user number {user}: expected"):
        replace(HONEST, **change).check(LOG)


def test_targets_among_training_events_are_refused_without_cuts():
    for change in ({"validation": np.array([1, 6])}, {"test": np.array([3, 5])}):
        with pytest.raises(LeakageError, match="after the user's training events"):
            replace(HONEST, cuts=None, **change).check(LOG)


def test_a_log_without_clock_is_refused_by_the_time_split_alone():
    unclocked = replace(LOG, times=None)
    with pytest.raises(DataError, match="expected a log with times, found a log without"):
        TimeSplit().split(unclocked)
    assert len(LeaveOneOut().split(unclocked).test) == 2


@pytest.mark.parametrize(
    ("times", "empty"),
    [
        ([[5, 5, 5, 5], [5, 5, 5]], "train"),  # one moment: nothing lies before the cut
        ([[1, 2, 3, 9], [1, 2, 3, 9]], "validation"),  # both cuts fall on the last moment
        ([[1, 2, 3, 4], [1, 2, 3, 4], [8], [9]], "test"),  # late users have no history to predict from
    ],
)
def test_an_empty_part_is_refused_and_named(times, empty):
    config = (
        TimeSplit(train=0.75, validation=0.1) if empty != "test" else TimeSplit(train=0.5, validation=0.3)
    )
    sequences = from_lists([[0] * len(user) for user in times], 2, times=times)
    with pytest.raises(DataError, match=rf"some events for the {empty} part, found none"):
        config.split(sequences)


def test_shares_that_leave_no_test_are_refused():
    with pytest.raises(DataError, match=r"train \+ validation < 1"):
        TimeSplit(train=0.9, validation=0.1).split(LOG)


@pytest.mark.parametrize("config", [LeaveOneOut(), TimeSplit()])
@pytest.mark.parametrize("lengths", [[1, 1, 1, 1, 1, 1], [1, 0, 1]])
def test_users_shorter_than_two_events_are_a_clear_error(config, lengths):
    times = [[10 * user] * length for user, length in enumerate(lengths)]
    sequences = from_lists([[0] * length for length in lengths], 2, times=times)
    with pytest.raises(DataError, match=r"^\[split\].*expected .* found .*; ") as caught:
        config.split(sequences)
    assert "\n" not in str(caught.value)


def test_leave_one_out_needs_one_user_with_three_events_that_are_not_set_aside():
    with pytest.raises(DataError, match="three events"):
        LeaveOneOut(set_aside=1).split(from_lists([[0, 1, 2], [0]], 3))


def test_leave_one_out_needs_one_user_with_three_events():
    with pytest.raises(DataError, match="at least one user with three events, found 2 at most"):
        LeaveOneOut().split(from_lists([[0, 1], [1, 0], []]))


def test_descriptions_tell_the_splits_apart():
    found = {
        config.split(LOG).description
        for config in (
            LeaveOneOut(),
            TimeSplit(train=0.5, validation=0.25),
            TimeSplit(train=0.5, validation=0.25, targets="each"),
            TimeSplit(train=0.5, validation=0.25, targets="successive"),
            TimeSplit(train=0.5, validation=0.2),
        )
    }
    assert len(found) == 5


def test_validation_says_what_it_asks_for_where_that_is_not_what_the_test_asks_for():
    split = TimeSplit(train=0.5, validation=0.25).split(LOG)
    assert split.words("test").endswith("last target")
    assert split.words("validation").endswith("successive targets")
    assert LeaveOneOut().split(LOG).words("validation") == LeaveOneOut().split(LOG).words("test")


user_splits = st.builds(
    UserSplit, train=st.floats(0.1, 0.6), validation=st.floats(0.1, 0.35), seed=st.integers(0, 3)
)


@given(logs(shortest=1), user_splits)
def test_a_user_trains_or_is_asked_and_never_both(sequences, config):
    split = split_or_assume(config, sequences)
    trains = split.train_stop > sequences.offsets[:-1]
    assert (split.train_stop[trains] == sequences.offsets[1:][trains]).all()
    parts = [sequences.users_of(split.validation), sequences.users_of(split.test)]
    asked = np.concatenate(parts)
    assert len(set(asked.tolist())) == len(asked) and not trains[asked].any()
    left_out = set(range(sequences.num_users)) - set(asked.tolist()) - set(np.flatnonzero(trains).tolist())
    assert all(sequences.lengths[user] < 2 for user in left_out)
    assert np.isin(np.concatenate([split.validation, split.test]), sequences.offsets[1:] - 1).all()


def test_who_trains_is_drawn_by_the_seed():
    sequences = from_lists([[0, 1]] * 100, 2)
    one, again, other = (UserSplit(seed=seed).split(sequences) for seed in (0, 0, 1))
    assert np.array_equal(one.test, again.test) and not np.array_equal(one.test, other.test)
    assert (len(one.validation), len(one.test)) == (10, 10)


@pytest.mark.parametrize(
    ("config", "rows", "words"),
    [
        (UserSplit(train=0.9, validation=0.1), [[0, 1]] * 9, r"train \+ validation < 1"),
        (UserSplit(), [[0, 1]] * 4, "for the validation part, found none"),
        (UserSplit(), [[0]] * 50, "a user with two events for the validation part"),
    ],
)
def test_a_part_without_users_is_refused(config, rows, words):
    with pytest.raises(DataError, match=words):
        config.split(from_lists(rows, 2))
