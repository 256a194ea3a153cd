import numpy as np
import pytest
import scipy.stats

from intertask.metrics import bootstrap
from intertask.metrics.bootstrap import difference_intervals, mean_intervals


def several_targets(num_users, seed=0):
    generator = np.random.default_rng(seed)
    users = np.repeat(np.arange(num_users), generator.integers(1, 6, size=num_users))
    taste = generator.random(num_users)  # a user's targets resemble each other
    return (generator.random(len(users)) < taste[users]).astype(float)[:, None], users


def test_interval_agrees_with_scipy():
    values, users = several_targets(400)
    sums, counts = np.bincount(users, weights=values[:, 0]), np.bincount(users)
    expected = scipy.stats.bootstrap(
        (sums, counts),
        lambda total, count, axis=-1: total.sum(axis) / count.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        batch=200,
        method="percentile",
    ).confidence_interval
    found = mean_intervals(values, users, np.random.default_rng(1), num_resamples=20_000)
    assert found.lows[0] == pytest.approx(expected.low, abs=2e-3)
    assert found.highs[0] == pytest.approx(expected.high, abs=2e-3)
    assert found.values[0] == pytest.approx(values.mean())


def test_the_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        users = np.repeat(np.arange(80), 2)
        values = np.repeat(generator.random(80) < 0.4, 2).astype(float)[:, None]
        found = mean_intervals(values, users, generator, num_resamples=300)
        covered += bool(found.lows[0] <= 0.4 <= found.highs[0])
    assert 0.90 <= covered / 300 <= 0.98


def test_repeating_a_users_targets_does_not_feign_certainty():
    values = np.random.default_rng(4).random((100, 1))
    users = np.arange(100)
    once = mean_intervals(values, users, np.random.default_rng(0))
    tenfold = mean_intervals(np.repeat(values, 10, 0), np.repeat(users, 10), np.random.default_rng(0))
    np.testing.assert_allclose([tenfold.lows, tenfold.highs], [once.lows, once.highs])


def test_the_chunk_changes_nothing(monkeypatch):
    values, users = several_targets(50)
    whole = mean_intervals(values, users, np.random.default_rng(0), num_resamples=101)
    monkeypatch.setattr(bootstrap, "_CHUNK_BYTES", 8 * 50 * 7)
    chunked = mean_intervals(values, users, np.random.default_rng(0), num_resamples=101)
    np.testing.assert_allclose([chunked.lows, chunked.highs], [whole.lows, whole.highs])


def test_order_of_targets_and_numbering_of_users_do_not_matter():
    values, users = several_targets(50)
    order = np.random.default_rng(9).permutation(len(users))
    first = mean_intervals(values, users, np.random.default_rng(0))
    second = mean_intervals(values[order], users[order] * 3 + 7, np.random.default_rng(0))
    np.testing.assert_allclose([second.lows, second.highs], [first.lows, first.highs])


def test_users_may_be_unsigned_numbers_or_names():
    values, users = several_targets(9)
    expected = mean_intervals(values, users, np.random.default_rng(0))
    for other in (users.astype(np.uint32), users.astype(str)):
        found = mean_intervals(values, other, np.random.default_rng(0))
        np.testing.assert_allclose([found.lows, found.highs], [expected.lows, expected.highs])


def test_a_column_does_not_depend_on_its_neighbours():
    values = np.random.default_rng(0).random((60, 5))
    together = mean_intervals(values, np.arange(60), np.random.default_rng(0))
    alone = mean_intervals(values[:, 3:4], np.arange(60), np.random.default_rng(0))
    assert alone.lows[0] == pytest.approx(together.lows[3])


def test_a_small_steady_advantage_shows_only_when_paired():
    generator = np.random.default_rng(0)
    first = generator.random((500, 1))
    second = first - 0.01 + 0.01 * generator.normal(size=(500, 1))
    users = np.arange(500)
    paired = difference_intervals(first, second, users, generator)
    assert paired.lows[0] > 0
    assert paired.values[0] == pytest.approx((first - second).mean())
    one, other = mean_intervals(first, users, generator), mean_intervals(second, users, generator)
    assert one.lows[0] < other.highs[0]


def test_a_system_does_not_differ_from_itself():
    values, users = several_targets(30)
    found = difference_intervals(values, values, users, np.random.default_rng(0))
    assert (found.lows[0], found.values[0], found.highs[0]) == (0, 0, 0)


def test_more_confidence_is_a_wider_interval():
    values, users = several_targets(100)
    narrow = mean_intervals(values, users, np.random.default_rng(0), confidence=0.5)
    wide = mean_intervals(values, users, np.random.default_rng(0), confidence=0.99)
    assert wide.lows[0] < narrow.lows[0] < narrow.values[0] < narrow.highs[0] < wide.highs[0]


def test_one_user_has_no_spread():
    found = mean_intervals(np.array([[0.0], [1.0]]), np.array([4, 4]), np.random.default_rng(0))
    assert (found.lows[0], found.values[0], found.highs[0]) == (0.5, 0.5, 0.5)


def test_what_cannot_be_resampled_is_refused():
    one, generator = np.ones((2, 1)), np.random.default_rng(0)
    with pytest.raises(ValueError, match="a user for each target"):
        mean_intervals(one, np.array([0]), generator)
    with pytest.raises(ValueError, match="a user for each target"):
        mean_intervals(np.empty((0, 1)), np.array([], dtype=int), generator)
    with pytest.raises(ValueError, match="finite"):
        mean_intervals(np.array([[np.nan]]), np.array([0]), generator)
    with pytest.raises(ValueError, match="num_resamples"):
        mean_intervals(one, np.arange(2), generator, num_resamples=0)
    with pytest.raises(ValueError, match="confidence"):
        mean_intervals(one, np.arange(2), generator, confidence=1.0)
    with pytest.raises(ValueError, match="same targets"):
        difference_intervals(one, np.ones((3, 1)), np.arange(2), generator)


def test_a_p_value_is_below_5_percent_where_the_95_percent_interval_excludes_zero():
    generator = np.random.default_rng(0)
    values = generator.normal(np.linspace(-0.3, 0.3, 25), 1.0, size=(120, 25))
    found = mean_intervals(values, np.arange(120), np.random.default_rng(1), num_resamples=4000)
    excludes = (found.lows > 0) | (found.highs < 0)
    clear = np.abs(found.p_values - 0.05) > 0.005  # nearer than that the two round differently
    assert ((found.p_values < 0.05) == excludes)[clear].all() and excludes.any() and not excludes.all()
    expected = scipy.stats.ttest_1samp(values, 0).pvalue
    assert np.abs(found.p_values - expected).max() < 0.05


def test_one_user_shows_nothing():
    found = mean_intervals(np.ones((3, 1)), np.zeros(3, np.int64), np.random.default_rng(0))
    assert found.p_values[0] == 1 and found.lows[0] == found.highs[0] == 1


def test_one_run_has_the_interval_of_its_users():
    values, users = several_targets(300)
    crossed = bootstrap.crossed_interval(values, users, np.random.default_rng(0), num_resamples=10_000)
    plain = mean_intervals(values, users, np.random.default_rng(1), num_resamples=10_000)
    assert crossed.values[0] == pytest.approx(plain.values[0])
    assert (crossed.lows[0], crossed.highs[0]) == pytest.approx((plain.lows[0], plain.highs[0]), abs=4e-3)


def test_runs_that_differ_are_chance_as_well():
    """Users say nothing, runs differ by luck: a study of three must not call the difference real."""
    random, found = np.random.default_rng(0), []
    for _ in range(100):
        luck = random.normal(0, 0.1, 3)
        values = luck + random.normal(0, 0.01, size=(200, 3))
        crossed = bootstrap.crossed_interval(
            values, np.arange(200), np.random.default_rng(1), num_resamples=300
        )
        pooled = mean_intervals(
            values.mean(1, keepdims=True), np.arange(200), np.random.default_rng(1), num_resamples=300
        )
        found.append((crossed.p_values[0] < 0.05, pooled.p_values[0] < 0.05))
    of_both, of_users = np.mean(found, axis=0)
    assert of_users > 0.9  # sure of what is chance
    assert of_both < 0.35  # three runs are few, but they are not ignored


def test_two_runs_are_as_far_apart_as_their_unbiased_deviation():
    values = np.tile(
        [0.0, 2.0], (50, 1)
    )  # of the mean of two runs: sqrt(2) / sqrt(2) = 1, drawn 1 -+ 1 * sqrt(2)
    found = bootstrap.crossed_interval(values, np.arange(50), np.random.default_rng(0))
    assert (found.lows[0], found.highs[0]) == pytest.approx((1 - 2**0.5, 1 + 2**0.5))


def test_holm_known_answer():
    assert bootstrap.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert bootstrap.holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert len(bootstrap.holm(np.array([]))) == 0
