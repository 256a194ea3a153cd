import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from intertask.metrics.resampled_auc import resampled_auc


def test_each_resample_has_the_auc_of_its_weighted_rows():
    random = np.random.default_rng(0)
    num, num_units = 80, 30
    units, truth = random.integers(num_units, size=num) * 7, random.integers(2, size=num)
    scores = np.stack(
        [random.normal(size=num) + truth, random.integers(4, size=num)], 1
    )  # the other has ties
    found = resampled_auc(truth, scores, units, np.random.default_rng(5), 40)
    names, codes = np.unique(units, return_inverse=True)
    draws = np.random.default_rng(5)
    for resample in found:
        drawn = draws.integers(len(names), size=len(names))
        weights = np.bincount(drawn, minlength=len(names))[codes]
        expected = [roc_auc_score(truth, own, sample_weight=weights) for own in scores.T]
        assert resample == pytest.approx(expected)


def test_the_chunk_does_not_change_the_draws(monkeypatch):
    random = np.random.default_rng(1)
    told = random.integers(2, size=50), random.normal(size=(50, 1)), np.arange(50)
    whole = resampled_auc(*told, np.random.default_rng(2), 30)
    monkeypatch.setattr("intertask.metrics.resampled_auc._CHUNK_BYTES", 50 * 8 * 7)
    np.testing.assert_array_equal(resampled_auc(*told, np.random.default_rng(2), 30), whole)


def test_a_resample_of_one_answer_alone_has_none():
    found = resampled_auc(
        np.array([0, 0, 1]), np.array([[0.1], [0.2], [0.3]]), np.arange(3), np.random.default_rng(0), 50
    )
    assert np.isnan(found).any() and set(np.unique(found[~np.isnan(found)])) == {1.0}
