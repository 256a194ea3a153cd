import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.sequences import Sequences, from_lists
from intertask.errors import TrainingError
from intertask.events import ranking as module
from intertask.events.ranking import rank_targets, visited
from intertask.events.systems import BaselineSystem, ModelSystem
from tests import shop

NUM_ITEMS = 7


class Fixed:
    """A system that was told its scores, [targets, items]."""

    name = "fixed"

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = torch.from_numpy(scores.astype(np.float32))

    def score(self, task: str, rows: np.ndarray) -> torch.Tensor:
        return self.scores[torch.from_numpy(rows)].clone()


@st.composite
def logs(draw: st.DrawFn) -> tuple[Sequences, np.ndarray]:
    """Sequences and targets that have a history."""
    items = draw(st.lists(st.lists(st.integers(0, NUM_ITEMS - 1), max_size=8), min_size=1, max_size=5))
    sequences = from_lists(items, NUM_ITEMS)
    starts = set(sequences.offsets.tolist())
    targets = [place for place in range(sequences.num_events) if place not in starts and draw(st.booleans())]
    return sequences, np.array(targets, dtype=np.int64)


def history(sequences: Sequences, target: int) -> list[int]:
    start = max(offset for offset in sequences.offsets.tolist() if offset <= target)
    return sequences.items[start:target].tolist()


def ranked(scores, sequences, targets, rows=None, mode="masked", length=3):
    rows = np.arange(len(targets)) if rows is None else rows
    return rank_targets(Fixed(scores), "next", sequences, targets, rows, mode, length)


@given(logs())
def test_visited_is_an_item_that_stands_in_its_history(log):
    sequences, targets = log
    expected = [sequences.items[target] in history(sequences, target) for target in targets]
    assert visited(sequences, targets).tolist() == expected


@given(logs(), st.integers(0, 2**32 - 1), st.sampled_from(["masked", "kept"]), st.integers(1, 9))
def test_ranks_and_lists_equal_a_slow_direct_ranking(log, seed, mode, length):
    sequences, targets = log
    # Few different scores, so that ties are the rule.
    scores = np.random.default_rng(seed).integers(0, 4, (len(targets), NUM_ITEMS))
    seen = visited(sequences, targets)
    rows = np.flatnonzero(~seen) if mode == "masked" else np.arange(len(targets))
    found = ranked(scores, sequences, targets, rows, mode, length)
    assert found.rows.tolist() == rows.tolist()
    for place, row in enumerate(rows):
        banned = set(history(sequences, targets[row])) if mode == "masked" else set()
        candidates = [item for item in range(NUM_ITEMS) if item not in banned]
        own = scores[row, sequences.items[targets[row]]]
        others = [item for item in candidates if item != sequences.items[targets[row]]]
        assert found.ranks[place] == 1 + sum(scores[row, item] >= own for item in others)
        listed = [item for item in found.lists[place].tolist() if item >= 0]
        assert len(listed) == min(length, NUM_ITEMS, len(candidates)) == len(set(listed))
        assert set(listed) <= set(candidates)
        best = sorted((scores[row, item] for item in candidates), reverse=True)
        assert [scores[row, item] for item in listed] == best[: len(listed)]


def test_a_perfect_system_ranks_first_and_a_constant_one_last():
    sequences = from_lists([[0, 1, 2], [3, 3, 0]], NUM_ITEMS)
    targets = np.array([2, 5])
    perfect = np.zeros((2, NUM_ITEMS))
    perfect[[0, 1], [2, 0]] = 1
    constant = np.ones((2, NUM_ITEMS))
    assert ranked(perfect, sequences, targets).ranks.tolist() == [1, 1]
    assert ranked(constant, sequences, targets, mode="kept").ranks.tolist() == [NUM_ITEMS, NUM_ITEMS]
    # Two items, or one of them, stand in the histories and are no candidates.
    assert ranked(constant, sequences, targets).ranks.tolist() == [NUM_ITEMS - 2, NUM_ITEMS - 1]


def test_short_lists_end_in_minus_one():
    sequences = from_lists([[0, 1, 2, 3, 4, 5]], NUM_ITEMS)
    scores = np.arange(NUM_ITEMS)[None].astype(float)
    assert ranked(scores, sequences, np.array([5]), length=9).lists.tolist() == [[6, 5, -1, -1, -1, -1, -1]]


@pytest.mark.parametrize("item", range(NUM_ITEMS))
def test_scores_that_are_no_numbers_are_refused(item):
    sequences = from_lists([[0, 1]], NUM_ITEMS)
    scores = np.zeros((1, NUM_ITEMS))
    scores[0, item] = np.nan
    if item == 0:  # masked: nobody will ever see it
        assert ranked(scores, sequences, np.array([1])).ranks.tolist() == [NUM_ITEMS - 1]
    with pytest.raises(TrainingError, match="scores of fixed, task 'next': expected numbers, found NaN"):
        ranked(scores, sequences, np.array([1]), mode="kept")


@pytest.mark.parametrize("system", ["model", "baseline"])
@pytest.mark.parametrize("mode", ["masked", "kept"])
def test_ranks_do_not_depend_on_the_size_of_the_pieces(system, mode, monkeypatch):
    corpus, fitted = shop.corpus(), shop.recommender().fitted
    sequences, targets = corpus.sequences, fitted.split.test
    seen = visited(sequences, targets)
    rows = np.flatnonzero(~seen) if mode == "masked" else np.arange(len(targets))
    found = []
    for tokens, scores in ((16384, 2**22), (8, 1), (40, 5 * shop.NUM_ITEMS)):
        monkeypatch.setattr(module, "SCORES_IN_MEMORY", scores)
        if system == "model":
            asked = ModelSystem(fitted.model, sequences, targets, tokens)
        else:
            ranker = shop.recipe().evaluation.baselines["transition"].fit(fitted.split.training(sequences), 0)
            asked = BaselineSystem("transition", ranker, sequences, targets)
        found.append(rank_targets(asked, "next", sequences, targets, rows, mode, 5))
    for other in found[1:]:
        assert other.ranks.tolist() == found[0].ranks.tolist()
        assert other.lists.tolist() == found[0].lists.tolist()


def test_scoring_leaves_a_systems_own_numbers_alone():
    corpus, fitted = shop.corpus(), shop.recommender().fitted
    asked = ModelSystem(fitted.model, corpus.sequences, fitted.split.test)
    rows = np.arange(len(fitted.split.test))
    first = asked.score("next", rows).clone()
    asked.score("next", rows).fill_(float("-inf"))  # as the mask does
    assert torch.equal(asked.score("next", rows), first)
