"""Risk against coverage: known answers, ties, and what certainty is worth."""

from itertools import pairwise

import numpy as np
import pytest

from intertask.answers.category import Category
from intertask.metrics.abstention import risk_by_coverage


def test_all_answers_have_the_error_of_all():
    random = np.random.default_rng(0)
    right = random.random(500) < 0.7
    found = risk_by_coverage(random.random(500), right)
    assert found[-1].coverage == 1.0
    assert found[-1].risk == pytest.approx(1 - right.mean())


def test_the_most_certain_answers_are_kept():
    certain = np.array([0.9, 0.8, 0.7, 0.6])
    found = {own.coverage: own for own in risk_by_coverage(certain, np.array([True, True, False, False]))}
    assert found[0.5].risk == 0.0 and found[0.5].at_least == 0.8
    assert found[0.75].risk == pytest.approx(1 / 3)


def test_answers_that_are_as_certain_are_kept_together():
    (only,) = risk_by_coverage(np.full(6, 0.5), np.array([True] * 3 + [False] * 3))
    assert (only.coverage, only.risk, only.at_least) == (1.0, 0.5, 0.5)


def test_no_answer_has_no_risk():
    assert risk_by_coverage(np.zeros(0), np.zeros(0, bool)) == []


def test_calibrated_probabilities_are_wrong_less_often_where_they_are_certain():
    random = np.random.default_rng(0)
    yes = random.random(5_000)
    truth = (random.random(5_000) < yes).astype(np.int64)
    found = Category(2).abstention(truth, np.stack([1 - yes, yes], axis=1))
    risks = [own.risk for own in found]
    assert risks[0] < 0.1 < risks[-1]
    assert all(one <= other + 0.01 for one, other in pairwise(risks))
    assert all(own.at_least >= 0.5 for own in found)


def test_several_labels_have_none():
    assert Category(2, several=True).abstention(np.eye(2), np.eye(2)) == []
