import numpy as np
import pytest

from intertask.data.counts import interactions
from intertask.data.sequences import from_lists
from intertask.sources.ease import Config


def world(num_items=25):
    generator = np.random.default_rng(0)
    popularity = 1 / np.arange(1, num_items + 1)
    users = [generator.choice(num_items, 6, p=popularity / popularity.sum()).tolist() for _ in range(80)]
    return from_lists(users, num_items)


def test_weights_equal_the_papers_ridge_regressions():
    # Equation 8 solves one ridge regression for each item, with its own weight held at zero.
    training, regularisation = world(), 5.0
    users_items = interactions(training).toarray().astype(np.float64)
    expected = np.zeros((25, 25))
    for item in range(25):
        others = np.arange(25) != item
        design = users_items[:, others]
        gram = design.T @ design + regularisation * np.eye(24)
        expected[others, item] = np.linalg.solve(gram, design.T @ users_items[:, item])
    found = Config(regularisation=regularisation).fit(training, 0)
    np.testing.assert_allclose(found.weights, expected, atol=1e-5)
    assert found.note == ""
    histories = from_lists([[1, 2, 2], [7]], 25)
    np.testing.assert_allclose(
        found.score(histories), interactions(histories).toarray() @ expected, atol=1e-5
    )


def test_items_beyond_the_limit_stand_below_and_the_ranker_says_so():
    training = world()
    ranker = Config(regularisation=5.0, max_items=10).fit(training, 0)
    assert ranker.note == "weights for the 10 most popular of 25 items only"
    counts = np.bincount(training.items, minlength=25)
    kept = np.sort(np.argsort(-counts, kind="stable")[:10])
    assert ranker.kept.tolist() == kept.tolist()
    scores = ranker.score(from_lists([[0, 1], [24], []], 25))
    others = np.setdiff1d(np.arange(25), kept)
    assert np.all(scores[:, others].max(axis=1) < scores[:, kept].min(axis=1))
    order = others[np.argsort(-scores[0, others], kind="stable")]
    assert np.all(np.diff(counts[order]) <= 0)


def test_more_regularisation_means_smaller_weights():
    weak, strong = (Config(regularisation=value).fit(world(), 0) for value in (1.0, 100.0))
    assert np.abs(strong.weights).sum() < np.abs(weak.weights).sum()


def test_regularisation_of_zero_is_refused():
    with pytest.raises(ValueError, match="regularisation"):
        Config(regularisation=0.0)
