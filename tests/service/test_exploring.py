"""Drawn lists are those of Plackett-Luce, and the probabilities that are told are theirs."""

import itertools

import numpy as np
import scipy.stats

from intertask.service.exploring import drawn, seed_of

SCORES = np.array([2.0, 1.5, 1.0, -0.5, -4.0], np.float32)


def chances(order, temperature):
    """Of each place, by the definition: the share of its weight among those that are left."""
    logits = SCORES.astype(np.float64)
    weights = np.exp((logits - logits.mean()) / logits.std() / temperature)
    found = []
    for place, item in enumerate(order):
        left = [other for other in range(len(SCORES)) if other not in order[:place]]
        found.append(weights[item] / weights[left].sum())
    return found


def test_the_probabilities_are_those_of_the_definition():
    for seed in range(20):
        order, told = drawn(SCORES, 5, 0.7, seed)
        assert sorted(order) == list(range(5)) and told[-1] == 1.0
        np.testing.assert_allclose(told, chances(order.tolist(), 0.7), rtol=1e-9)


def test_lists_come_as_often_as_their_probabilities_say():
    draws = 8_000
    counted: dict[tuple[int, ...], int] = dict.fromkeys(itertools.permutations(range(5), 2), 0)
    for seed in range(draws):
        counted[tuple(drawn(SCORES, 2, 1.5, seed)[0].tolist())] += 1
    expected = np.array([np.prod(chances(list(pair), 1.5)) for pair in counted]) * draws
    found = np.array(list(counted.values()))
    assert expected.min() > 5  # below that the test counts too roughly
    assert scipy.stats.chisquare(found, expected).pvalue > 0.01


def test_near_zero_the_best_come_first_and_far_scores_stay_probabilities():
    order, told = drawn(np.array([1.0, 900.0, -900.0], np.float32), 3, 1e-3, 1)
    assert order.tolist() == [1, 0, 2] and np.isfinite(told).all() and (told >= 0).all()
    order, told = drawn(np.zeros(3, np.float32), 3, 1.0, 1)  # nothing to tell them apart by
    np.testing.assert_allclose(told, [1 / 3, 1 / 2, 1])


def test_the_scale_of_scores_does_not_matter():
    for seed in range(5):
        first, others = drawn(SCORES, 3, 0.5, seed), drawn(SCORES * 50 + 7, 3, 0.5, seed)
        assert first[0].tolist() == others[0].tolist()
        np.testing.assert_allclose(first[1], others[1], rtol=1e-5)


def test_a_seed_is_that_of_an_answer_and_a_secret():
    assert seed_of("rec_1", b"a") == seed_of("rec_1", b"a")
    assert len({seed_of("rec_1", b"a"), seed_of("rec_2", b"a"), seed_of("rec_1", b"b")}) == 3
