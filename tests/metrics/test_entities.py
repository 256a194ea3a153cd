"""Entities of tagged words, as the program of CoNLL finds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from intertask.metrics.entities import Entity, counts, entities

KINDS = ("PER", "LOC")
bio = st.lists(st.sampled_from(["O", *(f"{mark}-{kind}" for mark in "BI" for kind in KINDS)]), max_size=12)
bmeso = st.lists(
    st.sampled_from(["O", *(f"{mark}-{kind}" for mark in "BMES" for kind in KINDS)]), max_size=12
)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("B-PER B-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("I-PER I-LOC", [("PER", 0, 1), ("LOC", 1, 2)]),
        ("B-PER M-PER E-PER S-PER", [("PER", 0, 3), ("PER", 3, 4)]),
        ("E-PER", [("PER", 0, 1)]),
        ("B-PER L-PER U-LOC U-LOC", [("PER", 0, 2), ("LOC", 2, 3), ("LOC", 3, 4)]),
        ("PER PER O LOC PER", [("PER", 0, 2), ("LOC", 3, 4), ("PER", 4, 5)]),
        ("b-PER i-PER o B-LOC _ -", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("O O", []),
        ("", []),
    ],
)
def test_entities_are_found(tags, found):
    assert entities(tags.split()) == [Entity(*own) for own in found]


@given(bio)
def test_bio_is_read_as_by_seqeval(tags):
    assert [tuple(own) for own in entities(tags)] == [(kind, a, b + 1) for kind, a, b in get_entities(tags)]


@given(st.lists(st.tuples(bmeso, bmeso), min_size=1, max_size=4))
def test_f1_is_that_of_seqeval(pairs):
    pairs = [(one[: len(other)], other[: len(one)]) for one, other in pairs]
    truth, told = [[own[side] for own in pairs] for side in (0, 1)]
    as_known = [
        [[tag.replace("M-", "I-") for tag in own] for own in side] for side in (truth, told)
    ]  # seqeval reads M- as a kind of its own
    right, found, true = (sum(own) for own in zip(*(counts(*pair) for pair in pairs), strict=True))
    f1 = 2 * right / (found + true) if found + true else 0.0
    if found or true:
        assert f1 == pytest.approx(f1_score(*as_known, zero_division=0))
