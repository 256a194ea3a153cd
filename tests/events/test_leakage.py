from dataclasses import replace

import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.errors import LeakageError
from intertask.evaluate.findings import refuse
from intertask.events.copies import copies, prefix_hashes
from intertask.events.leakage import Evidence, findings
from intertask.events.splits import LeaveOneOut, TimeSplit
from intertask.tasks.next_item import Config as NextItem
from intertask.tasks.response import Config as Response
from tests import worlds

DAY = worlds.DAY
TASKS = {"next": NextItem()}


def log(items=None, num_items=9, **columns):
    """Three users who share no step and come back to nothing."""
    return from_lists(items or [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1], [3, 2, 1, 4, 0]], num_items, **columns)


def examined(sequences, split=None, part="test", tasks=TASKS, **facts):
    split = split or LeaveOneOut().split(sequences)
    corpus = worlds.corpus(sequences, ("buy", "view")[: sequences.num_behaviours])
    return {finding.name: finding for finding in findings(Evidence(corpus, split, part, tasks, **facts))}


def clean(**columns):
    """The log above without the items that nobody has."""
    return log(num_items=5, **columns)


def test_nothing_is_found_where_nothing_is():
    assert examined(clean(), history=("masked", "kept")) == {}


# Errors


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            lambda split: replace(split, train_stop=split.train_stop + 2),
            "test targets after|validation targets",
        ),
        (lambda split: replace(split, test=split.validation), "test targets after the validation targets"),
        (
            lambda split: replace(split, train_stop=split.train_stop + 99),
            "training events that are the user's",
        ),
    ],
)
def test_a_split_that_leaks_is_an_error_and_nothing_else_is_looked_at(changed, words):
    sequences = clean()
    found = examined(sequences, changed(LeaveOneOut().split(sequences)))
    assert list(found) == ["leaking_split"]
    assert found["leaking_split"].severity == "error"
    with pytest.raises(LeakageError, match=f"test part: expected .* found the split leaks: .*({words})"):
        refuse(list(found.values()), "test")


def test_a_split_by_time_that_trains_beyond_its_cut_is_an_error():
    times = [[DAY * (5 * place + user) for place in range(5)] for user in range(3)]
    sequences = clean(times=times)
    split = TimeSplit(train=0.5, validation=0.2).split(sequences)
    assert "leaking_split" not in examined(sequences, split)
    early = (split.cuts[0] - 10 * DAY, split.cuts[1])
    assert (
        "training events before the cut"
        in examined(sequences, replace(split, cuts=early))["leaking_split"].text
    )


def test_a_model_of_other_training_events_is_an_error():
    sequences = clean()
    training = LeaveOneOut().split(sequences).training(sequences)
    counts = np.bincount(training.items, minlength=5)[None]
    assert examined(sequences, trained=counts) == {}
    whole = np.bincount(sequences.items, minlength=5)[None]
    for other in (whole, counts[:, :4]):
        assert examined(sequences, trained=other)["other_training"].severity == "error"
    text = examined(sequences, trained=whole)["other_training"].text
    assert "trained on 15 events, where the training part has 9" in text
    with pytest.raises(LeakageError, match="train it again"):
        refuse(list(examined(sequences, trained=whole).values()), "test")


def test_warnings_and_notes_refuse_nothing():
    found = examined(log(), part="validation")
    assert set(found) == {"choosing_part", "unseen"}
    refuse(list(found.values()), "validation")


# The moment of the target


def test_training_on_what_others_did_later_is_told_with_share_and_days():
    # Everybody does one thing a day; the second user begins ten days later, the third twenty.
    times = [[DAY * (10 * user + place) for place in range(5)] for user in range(3)]
    found = examined(clean(times=times))["future_training"]
    # Targets on days 4, 14 and 24; training ends on day 22, and a third of it lies behind day 9.
    assert found.severity == "warning"
    assert found.share == pytest.approx(2 / 3)
    assert "For 2 of 3 targets (66.7 %)" in found.text
    assert "67 % of its events follow after the median target, over 13 days" in found.text


def test_a_split_by_time_knows_nothing_later_and_a_log_without_clock_says_nothing():
    times = [[DAY * (place + user) for place in range(5)] for user in range(3)]
    sequences = clean(times=times)
    for targets in ("last", "successive"):
        split = TimeSplit(train=0.5, validation=0.2, targets=targets).split(sequences)
        assert "future_training" not in examined(sequences, split)
    assert "future_training" not in examined(clean())


def test_targets_in_the_second_of_the_event_before_are_counted():
    times = [[0, 1, 2, 3, 3], [0, 1, 2, 3, 4], [0, 0, 2, 3, 4]]
    found = examined(clean(times=times))["ties"]
    assert (found.severity, found.share) == ("warning", pytest.approx(1 / 3))
    assert found.text.startswith("1 of 3 targets (33.3 %)")
    apart = [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 0, 2, 3, 4]]  # a tie in the history decides on no target
    assert "ties" not in examined(clean(times=apart))
    assert "ties" not in examined(clean())


def test_a_model_that_is_told_the_moment_is_noted():
    assert examined(clean(), query_time=True)["query_time"].severity == "note"
    assert "query_time" not in examined(clean())


# Answers that need no model


def test_repeats_are_counted_where_the_history_is_kept():
    sequences = log([[0, 1, 2, 3, 3], [4, 2, 0, 3, 4], [3, 2, 1, 4, 0]], 5)
    found = examined(sequences, history=("masked", "kept"))["repeats"]
    assert (found.severity, found.share) == ("warning", pytest.approx(2 / 3))
    assert "2 of 3 targets (66.7 %) stand in their own history, and 1 repeat" in found.text
    assert found.text.endswith("HR@1 0.3333.")
    assert "repeats" not in examined(sequences, history=("masked",))
    assert "repeats" not in examined(
        sequences, history=("kept",), tasks={"bought": Response(behaviour="buy")}
    )


def test_copied_accounts_and_rows_are_counted():
    row = [0, 1, 2, 3, 4, 0]
    # The second user is the first again; the third begins alike and goes on for longer than is held out.
    sequences = log([row, row, [*row, 3, 1], [4, 3, 2, 1, 0, 4]], 5)
    found = examined(sequences)["known_rows"]
    assert (found.severity, found.share) == ("warning", pytest.approx(2 / 4))
    assert "2 of 4 users have exactly the events of another user" in found.text
    assert "2 of 4 targets (50.0 %) stand in another user's training events" in found.text


@pytest.mark.parametrize(
    "items",
    [
        [[0, 1, 2, 3, 4], [1, 0, 2, 3, 4]],  # another order
        [[0, 1, 2, 3], [0, 1, 2, 3]],  # too short to be a copy
        [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5]],  # what they share is not trained on
    ],
)
def test_users_who_are_merely_alike_are_no_copies(items):
    assert "known_rows" not in examined(from_lists(items))


def test_the_same_items_in_another_behaviour_are_no_copy():
    items = [[0, 1, 2, 3, 4]] * 2
    same, other = [[0, 1, 0, 1, 0]] * 2, [[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]]
    assert "known_rows" in examined(from_lists(items, behaviours=same))
    assert "known_rows" not in examined(from_lists(items, behaviours=other))


def test_few_copies_among_many_users_are_a_note():
    random = np.random.default_rng(0)
    items = random.integers(50, size=(400, 8)).tolist()
    assert "known_rows" not in examined(from_lists(items))
    found = examined(from_lists([*items, items[7]]))["known_rows"]
    assert found.severity == "note"
    assert found.text.startswith("2 of 401 users")


def test_hashes_are_those_of_prefixes_whatever_the_size_of_the_blocks(monkeypatch):
    random = np.random.default_rng(1)
    items = [random.integers(2, size=random.integers(0, 10)).tolist() for _ in range(80)]
    sequences = from_lists(items, 2)
    hashes = prefix_hashes(sequences)
    prefixes = [tuple(user[: stop + 1]) for user in items for stop in range(len(user))]
    assert (
        len(set(prefixes))
        == len(set(hashes.tolist()))
        == len(set(zip(prefixes, hashes.tolist(), strict=True)))
    )
    split = LeaveOneOut().split(sequences)
    whole = copies(sequences, split, split.test)
    slow = {tuple(user[:stop]) for user in items for stop in range(5, len(user) - 1)}
    assert whole[1] == sum(tuple(user) in slow for user in items if len(user) >= 5) > 0
    monkeypatch.setattr("intertask.events.copies.BLOCK", 4)
    assert prefix_hashes(sequences).tolist() == hashes.tolist()
    assert copies(sequences, split, split.test) == whole


def test_candidates_that_training_has_never_seen_are_noted():
    sequences = log([[0, 1, 2, 3, 4], [4, 2, 0, 5, 6], [3, 2, 1, 4, 0]], 7)
    found = examined(sequences)["unseen"]
    assert (found.severity, found.share) == ("note", pytest.approx(1 / 3))
    assert found.text.startswith("2 of 7 candidates have no training event")
    assert "1 of 3 targets (33.3 %)" in found.text
    assert "unseen" not in examined(clean())


# Labels


def labelled(labels):
    behaviours = [[0, 1, 0, 1, 0], [1, 1, 0, 1, 0], [0, 0, 1, 1, 1]]
    return clean(behaviours=behaviours, labels={"bought": labels(behaviours)})


def test_a_label_that_is_the_behaviour_is_told():
    tasks = {"bought": Response(label="bought")}
    given = labelled(lambda kinds: [[float(kind == 0) for kind in user] for user in kinds])
    found = examined(given, tasks=tasks)["label_is_behaviour"]
    assert found.severity == "warning"
    assert found.text.startswith("Task bought asks for the behaviour under another name: within each of 2")
    assert "label_is_behaviour" not in examined(given, tasks={"bought": Response(behaviour="buy")})


@pytest.mark.parametrize(
    "labels",
    [
        lambda kinds: [[float(place % 3 == 0) for place in range(5)] for _ in kinds],  # free of the behaviour
        lambda kinds: [[1.0] * 5 for _ in kinds],  # the same for all
        lambda kinds: [
            [[float(place > 1), np.nan][kind] for place, kind in enumerate(user)] for user in kinds
        ],
    ],
)
def test_other_labels_are_not_suspected(labels):
    assert "label_is_behaviour" not in examined(labelled(labels), tasks={"bought": Response(label="bought")})


# The part


def test_the_validation_part_is_no_test():
    assert examined(clean(), part="validation")["choosing_part"].severity == "warning"
    assert "choosing_part" not in examined(clean())


def test_errors_come_first_and_notes_last():
    wrong = np.zeros((1, 9), np.int64)
    found = examined(log(), part="validation", query_time=True, trained=wrong)
    order = [finding.severity for finding in found.values()]
    assert order == ["error", "warning", "note", "note"]


def test_a_part_without_targets_has_its_findings_all_the_same():
    sequences = log(times=[[0, 1, 2, 3, 4]] * 3)
    split = replace(LeaveOneOut().split(sequences), test=np.empty(0, np.int64))
    assert set(examined(sequences, split, history=("kept",))) == {"unseen"}


# Rates of labels


def rare(in_training, among_targets, users=60, length=12):
    """So many positives in training and among the last events, all others negative."""
    labels = np.zeros((users, length))
    labels[:, :-2].flat[:in_training] = 1
    labels[:among_targets, -1] = 1
    items = [[(user + place) % 5 for place in range(length)] for user in range(users)]
    return from_lists(items, 5, labels={"liked": labels.tolist()})


@pytest.mark.parametrize(
    ("in_training", "among_targets", "found"),
    [
        (60, 6, False),
        (60, 40, True),
        (300, 4, True),
        (60, 1, True),
        (30, 1, False),
        (12, 1, False),
        (0, 9, False),
    ],
)
def test_a_label_whose_rate_changes_beyond_chance_is_told_of(in_training, among_targets, found):
    told = examined(rare(in_training, among_targets), tasks={"liked": Response(label="liked")})
    assert ("label_rate" in told) is found


def test_both_rates_are_said():
    text = examined(rare(300, 4), tasks={"liked": Response(label="liked")})["label_rate"].text
    assert (
        "Task liked: 50 % of the labels are yes in training and 6.67 % (4 of 60) among these targets" in text
    )


def test_values_have_no_rate():
    tasks = {"liked": Response(label="liked", form="regression")}
    assert "label_rate" not in examined(rare(60, 40), tasks=tasks)
