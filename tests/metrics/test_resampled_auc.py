import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from intertask.metrics.resampled_auc import areas_under, resampled_auc


def world(num, num_units, seed=0):
    """Rows of units, and the scores of two systems, of which the second has ties."""
    random = np.random.default_rng(seed)
    units, truth = random.integers(num_units, size=num) * 7, random.integers(2, size=num)
    told = random.normal(size=num) + truth
    return truth, np.stack([told, np.round(random.normal(size=num) + truth)], 1), units


def test_an_area_is_that_of_scikit_learn():
    truth, scores, _ = world(200, 50)
    assert areas_under(truth, scores) == pytest.approx([roc_auc_score(truth, own) for own in scores.T])
    assert np.isnan(areas_under(np.ones(200), scores)).all()


def test_resamples_are_near_those_that_are_counted_anew():
    truth, scores, units = world(400, 120)
    found = resampled_auc(truth, scores, units, np.random.default_rng(5), 60)
    names, codes = np.unique(units, return_inverse=True)
    draws, exact = np.random.default_rng(5), []
    for _ in range(60):
        drawn = draws.integers(len(names), size=len(names))
        weights = np.bincount(drawn, minlength=len(names))[codes]
        exact.append([roc_auc_score(truth, own, sample_weight=weights) for own in scores.T])
    spread = np.std(exact, axis=0)
    assert (np.abs(found - exact) < 0.2 * spread).all()
    assert np.std(found, axis=0) == pytest.approx(spread, rel=0.03)
    gaps, exact_gaps = np.diff(found, axis=1), np.diff(exact, axis=1)
    assert np.quantile(gaps, [0.025, 0.975]) == pytest.approx(
        np.quantile(exact_gaps, [0.025, 0.975]), abs=0.003
    )


def test_a_unit_counts_as_a_whole():
    truth, scores, _ = world(300, 300)
    alone = resampled_auc(truth, scores, np.arange(300), np.random.default_rng(1), 200)
    twice = resampled_auc(
        np.tile(truth, 2), np.tile(scores, (2, 1)), np.tile(np.arange(300), 2), np.random.default_rng(1), 200
    )
    np.testing.assert_allclose(twice, alone)
    one_unit = resampled_auc(truth, scores, np.zeros(300, int), np.random.default_rng(1), 20)
    np.testing.assert_allclose(one_unit, np.tile(areas_under(truth, scores), (20, 1)))


def test_a_resample_of_one_answer_alone_has_none():
    truth, scores = np.array([0, 0, 1]), np.array([[0.1], [0.2], [0.3]])
    found = resampled_auc(truth, scores, np.arange(3), np.random.default_rng(0), 50)
    assert np.isnan(found).any() and set(np.unique(found[~np.isnan(found)])) == {1.0}


def test_no_area_is_beyond_one_or_below_zero():
    truth, scores, units = world(40, 40)
    for sign in (1, -1):
        certain = sign * (truth[:, None] * 4 + scores[:, :1])
        found = resampled_auc(truth, certain, units, np.random.default_rng(0), 300)
        assert found.min() >= 0.0 and found.max() <= 1.0
