import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.sources.als import Config


def world():
    generator = np.random.default_rng(0)
    own = [np.arange(20)[np.arange(20) % 2 == half] for half in (0, 1)]
    return from_lists([generator.choice(own[user % 2], 6).tolist() for user in range(100)], 20)


def test_user_vectors_solve_the_papers_equation_for_the_history_given():
    options = Config(width=4, confidence=10.0, regularisation=0.5)
    ranker = options.fit(world(), 0)
    items = ranker.item_vectors.T
    history = [0, 2, 4]
    confidences = np.where(np.isin(np.arange(20), history), 10.0, 1.0)
    normal = items.T @ (confidences[:, None] * items) + 0.5 * np.eye(4)
    user = np.linalg.solve(normal, items.T @ (confidences * np.isin(np.arange(20), history)))
    found = ranker.score(from_lists([history], 20))[0]
    np.testing.assert_allclose(found, items @ user, rtol=1e-3, atol=1e-4)


def test_unseen_items_of_the_own_taste_stand_first():
    found = Config(width=2).fit(world(), 0).score(from_lists([[0, 2, 4]], 20))[0]
    assert found[0::2].min() > found[1::2].max()


def test_another_seed_is_another_start_with_like_scores():
    history = from_lists([[0, 2, 4]], 20)
    first, second = (Config(width=2).fit(world(), seed).score(history)[0] for seed in (1, 2))
    assert not np.array_equal(first, second)
    assert np.corrcoef(first, second)[0, 1] > 0.95


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match="width"):
        Config(width=0)
    with pytest.raises(ValueError, match="confidence"):
        Config(confidence=0.0)
