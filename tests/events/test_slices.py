import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.sequences import from_lists
from intertask.data.windows import histories_before
from intertask.events import slices as module
from intertask.events.ranking import visited
from intertask.events.slices import SMALLEST, slices
from intertask.events.splits import LeaveOneOut


def world(seed, users=80, items=40):
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, items + 1)
    rows = [
        random.choice(items, size=int(random.integers(3, 30)), p=shares / shares.sum()).tolist()
        for _ in range(users)
    ]
    sequences = from_lists(rows, items)
    split = LeaveOneOut().split(sequences)
    return sequences, split.test, split.training(sequences), visited(sequences, split.test)


@given(st.integers(0, 50))
def test_each_family_of_slices_partitions_the_targets(seed):
    sequences, targets, training, seen = world(seed)
    with_smallest = module.SMALLEST
    module.SMALLEST = 0
    try:
        found = dict(slices(sequences, targets, training, seen))
    finally:
        module.SMALLEST = with_smallest
    assert found["all"].all()
    families = (
        lambda name: name in ("visited", "unvisited"),
        lambda name: name.startswith("history "),
        lambda name: name.startswith("item "),
    )
    for family in families:
        members = [inside for name, inside in found.items() if family(name)]
        assert members
        assert (np.sum(members, axis=0) == 1).all()


def test_members_are_what_the_name_says():
    sequences, targets, training, seen = world(1)
    found = dict(slices(sequences, targets, training, seen))
    lengths = histories_before(sequences, targets).lengths
    assert found["history 5-9"].tolist() == [5 <= length <= 9 for length in lengths]
    assert found["visited"].tolist() == seen.tolist()
    counts = np.bincount(training.items, minlength=40)
    top = np.argsort(-counts, kind="stable")[:4]
    assert found["item popularity top 10 %"].tolist() == [item in top for item in sequences.items[targets]]


def test_a_few_targets_are_no_slice():
    sequences, targets, training, seen = world(2)
    for name, members in slices(sequences, targets, training, seen):
        assert name == "all" or SMALLEST <= members.sum() < len(targets)
    few = list(slices(sequences, targets[:9], training, seen[:9]))
    assert [name for name, _ in few] == ["all"]
