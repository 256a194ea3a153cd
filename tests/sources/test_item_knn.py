import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.sources.item_knn import Config

# Items 0 and 1 share both of their users, 1 and 2 share one; item 4 has no user, and 3 none but its own.
TRAINING = from_lists([[0, 1], [0, 1, 2], [2], [3], [3]], num_items=5)


def scores(history, num_neighbours=100):
    return (
        Config(similarity="cosine", num_neighbours=num_neighbours)
        .fit(TRAINING, 0)
        .score(from_lists([history], num_items=5))[0]
    )


def test_scores_are_summed_cosines():
    # Users as sets: |0 and 1| / sqrt(2 * 2) = 1, |0 and 2| / sqrt(2 * 2) = 1/2.
    assert scores([0])[[0, 1, 2]] == pytest.approx([1, 1, 0.5], abs=0.006)
    assert scores([0, 1])[[0, 1, 2]] == pytest.approx([2, 2, 1], abs=0.006)
    assert scores([0, 0, 1, 0]) == pytest.approx(scores([0, 1]))


def test_popularity_fills_zeros_below_every_similarity():
    found = scores([0])
    assert 0 == found[4] < found[3] < 0.006 < found[2]


def test_only_the_nearest_neighbours_are_kept():
    found = scores([2], num_neighbours=1)
    assert (found[[0, 1]] > 0.1).sum() == 1


@pytest.mark.parametrize("similarity", ["cosine", "tfidf", "bm25"])
def test_every_similarity_finds_the_neighbour(similarity):
    generator = np.random.default_rng(0)
    users = [generator.choice(np.arange(20)[np.arange(20) % 2 == user % 2], 5).tolist() for user in range(80)]
    ranker = Config(similarity=similarity).fit(from_lists(users, 20), 0)
    found = ranker.score(from_lists([[0, 2]], 20))[0]
    assert found[0::2].min() > found[1::2].max()
