import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from intertask.metrics import responses

rows = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(0, 1)), min_size=1, max_size=40)


def test_known_answers_by_hand():
    labels, probabilities = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.8, 0.6, 0.4, 0.2])
    found = responses.binary(labels, probabilities, num_bins=2)
    assert found["auc"] == pytest.approx(3 / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.4, 0.4, 0.8]).mean())
    assert found["calibration_error"] == pytest.approx((2 * abs(0.7 - 0.5) + 2 * abs(0.3 - 0.5)) / 4)
    assert responses.calibration_bins(labels, probabilities, 2) == [
        responses.Bin(pytest.approx(0.3), 0.5, 2),
        responses.Bin(pytest.approx(0.7), 0.5, 2),
    ]
    values = responses.regression(np.array([1.0, 2.0]), np.array([1.0, 5.0]))
    assert values == pytest.approx({"rmse": np.sqrt(4.5), "mae": 1.5})


@given(rows, st.integers(1, 12))
def test_bins_equal_those_of_scikit_learn(pairs, num_bins):
    labels, probabilities = np.array(pairs).T
    bins = responses.calibration_bins(labels, probabilities, num_bins)
    if len(set(labels)) == 2:
        observed, predicted = calibration_curve(labels, probabilities, n_bins=num_bins)
        assert [part.observed for part in bins] == pytest.approx(observed)
        assert [part.predicted for part in bins] == pytest.approx(predicted)
    assert sum(part.count for part in bins) == len(pairs)


@given(rows)
def test_metrics_are_finite_and_in_range(pairs):
    labels, probabilities = np.array(pairs).T
    found = responses.binary(labels, probabilities)
    assert np.isfinite(list(found.values())).all()
    assert 0 <= found["calibration_error"] <= 1
    assert found["log_loss"] >= 0


@given(rows)
def test_unknown_labels_change_nothing(pairs):
    labels, probabilities = np.array(pairs).T
    more_labels = np.concatenate([[np.nan], labels, [np.nan]])
    more_probabilities = np.concatenate([[np.nan], probabilities, [0.3]])
    assert responses.binary(more_labels, more_probabilities) == responses.binary(labels, probabilities)
    assert responses.regression(more_labels, more_probabilities) == responses.regression(
        labels, probabilities
    )


def test_one_class_has_no_auc():
    found = responses.binary(np.array([1.0, 1.0], dtype=np.float32), np.array([0.9, 0.8], dtype=np.float32))
    assert sorted(found) == ["calibration_error", "log_loss"]


def test_no_known_label_has_no_metrics():
    nothing = np.array([np.nan])
    assert responses.binary(nothing, nothing) == {}
    assert responses.regression(nothing, nothing) == {}
    assert responses.calibration_bins(nothing, nothing) == []


def test_a_certain_mistake_is_large_but_finite():
    assert responses.binary(np.array([1.0]), np.array([0.0], dtype=np.float32))["log_loss"] == pytest.approx(
        36, 0.01
    )


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"expected 0, 1 or NaN, found 2\.0"):
        responses.binary(np.array([0.0, 2.0]), np.array([0.1, 0.2]))
    with pytest.raises(ValueError, match="expected 0 to 1"):
        responses.binary(np.array([0.0, 1.0]), np.array([0.1, 1.2]))
    with pytest.raises(ValueError, match="expected finite"):
        responses.regression(np.array([0.0, 1.0]), np.array([0.1, np.nan]))
    with pytest.raises(ValueError, match=r"\[rows\]"):
        responses.regression(np.array([0.0, 1.0]), np.array([0.1]))
    with pytest.raises(ValueError, match="num_bins"):
        responses.calibration_bins(np.array([0.0]), np.array([0.1]), 0)


def test_importing_the_metrics_loads_neither_torch_nor_scikit_learn():
    code = (
        "import sys, intertask.metrics.responses, intertask.metrics.ranking, intertask.metrics.lists,"
        " intertask.metrics.bootstrap; print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 12))
def test_quantile_bins_hold_every_row_once_and_equal_probabilities_together(seed, size, num_bins):
    random = np.random.default_rng(seed)
    predicted = random.choice([0.001, 0.002, 0.0021, 0.5], size) * random.choice([1.0, 0.9], size)
    labels = (random.random(size) < predicted).astype(float)
    found = responses.quantile_bins(labels, predicted, num_bins)
    assert 1 <= len(found) <= num_bins and sum(part.count for part in found) == size
    means = [part.predicted for part in found]
    assert means == sorted(means)
    assert sum(part.predicted * part.count for part in found) == pytest.approx(predicted.sum())
    assert sum(part.observed * part.count for part in found) == pytest.approx(labels.sum())


def test_quantile_bins_show_rare_events_where_bins_of_equal_width_show_one_dot():
    predicted = np.geomspace(1e-4, 0.02, 1000)
    labels = np.zeros(1000)
    assert len(responses.calibration_bins(labels, predicted)) == 1
    found = responses.quantile_bins(labels, predicted)
    assert [part.count for part in found] == pytest.approx([100] * 10, abs=1)
    assert len(responses.quantile_bins(labels, np.full(1000, 0.01))) == 1
    assert responses.quantile_bins(np.array([]), np.array([])) == []
