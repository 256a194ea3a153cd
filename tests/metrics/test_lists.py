import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from intertask.data.sequences import from_lists
from intertask.metrics import lists

some_lists = hnp.arrays(np.int32, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.integers(0, 9))


def test_users_are_counted_once_for_an_item():
    training = from_lists([[0, 0, 2], [2], [], [2, 0]], num_items=4)
    assert lists.users_of_items(training).tolist() == [2, 0, 3, 0]


def test_coverage_by_hand():
    assert lists.coverage(np.array([[0, 1], [1, 2]]), num_items=6) == 0.5


def test_novelty_by_hand():
    # Shares (users + 1) / (7 + 1): 8/8, 4/8 and, for the item that nobody had, 1/8.
    found = lists.novelty(np.array([[0, 1], [2, 2]]), np.array([7, 3, 0]), num_users=7)
    assert found == pytest.approx((0 + 1 + 3 + 3) / 4)


def test_popularity_share_by_hand():
    events = np.array([5, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1])  # ten items have events: the top 10 % is item 2
    assert lists.popularity_share(np.array([[2, 0], [1, 2], [3, 4]]), events) == pytest.approx(2 / 6)
    assert lists.popularity_share(np.array([[2, 0], [1, 2], [3, 4]]), events, top=0.2) == pytest.approx(3 / 6)


def test_items_without_events_do_not_widen_the_most_popular():
    events = np.concatenate([[3, 2], np.zeros(98, dtype=np.int64)])
    assert lists.popularity_share(np.array([[0, 1]]), events) == 0.5


def test_a_share_that_is_a_whole_number_is_not_rounded_up():
    events = np.arange(100, 0, -1)  # 0.07 * 100 = 7.000000000000001
    assert lists.popularity_share(np.array([np.arange(10)]), events, top=0.07) == pytest.approx(0.7)


def test_diversity_by_hand():
    vectors = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    assert lists.diversity(np.array([[0, 1]]), vectors) == pytest.approx(0.0)
    assert lists.diversity(np.array([[0, 2]]), vectors) == pytest.approx(1.0)
    assert lists.diversity(np.array([[0, 3]]), vectors) == pytest.approx(1.0)
    assert lists.diversity(np.array([[0, 1, 2]]), vectors) == pytest.approx(1 - 1 / 3)
    assert lists.diversity(np.array([[0, 1, 2], [0, 1, 1]]), vectors) == pytest.approx((2 / 3 + 0) / 2)


@given(some_lists, st.integers(0, 2**32 - 1))
def test_diversity_equals_the_mean_over_pairs(recommended, seed):
    vectors = np.random.default_rng(seed).normal(size=(10, 3))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = []
    for items in recommended:
        cosines = units[items] @ units[items].T
        expected.append(1 - cosines[~np.eye(len(items), dtype=bool)].mean())
    assert lists.diversity(recommended, vectors) == pytest.approx(np.mean(expected))
    assert lists.diversity(recommended, scipy.sparse.csr_matrix(vectors)) == pytest.approx(np.mean(expected))


def test_diversity_does_not_depend_on_its_chunks(monkeypatch):
    generator = np.random.default_rng(2)
    recommended = generator.integers(-1, 20, size=(50, 5))
    vectors = generator.normal(size=(20, 4))
    whole = lists.diversity(recommended, vectors)
    monkeypatch.setattr(lists, "_CHUNK_NUMBERS", 50)
    assert lists.diversity(recommended, vectors) == pytest.approx(whole)


@given(some_lists, st.randoms(use_true_random=False))
def test_order_of_users_and_of_places_does_not_matter(recommended, random):
    shuffled = recommended[random.sample(range(len(recommended)), len(recommended))][:, ::-1]
    counts = np.arange(10)
    vectors = np.random.default_rng(0).normal(size=(10, 3))
    for metric in (
        lambda found: lists.coverage(found, 10),
        lambda found: lists.novelty(found, counts, 9),
        lambda found: lists.diversity(found, vectors),
        lambda found: lists.popularity_share(found, counts),
    ):
        assert metric(shuffled) == pytest.approx(metric(recommended))


def test_empty_places_are_left_out():
    short = np.array([[0, 1], [2, -1]])
    vectors = np.eye(3)
    assert lists.coverage(short, 4) == pytest.approx(3 / 4)
    assert lists.novelty(short, np.array([3, 3, 1]), 3) == pytest.approx((0 + 0 + 1) / 3)
    assert lists.diversity(short, vectors) == pytest.approx(1.0)
    assert lists.popularity_share(short, np.array([5, 1, 1])) == pytest.approx(1 / 3)


def test_lists_of_another_catalogue_are_refused():
    with pytest.raises(ValueError, match="expected items below 3, found 0 to 3"):
        lists.coverage(np.array([[0, 3]]), 3)
    with pytest.raises(ValueError, match="none filled"):
        lists.coverage(np.array([[-1, -1]]), 3)
    with pytest.raises(ValueError, match="expected two items"):
        lists.diversity(np.array([[0], [1]]), np.eye(2))
    with pytest.raises(ValueError, match="at most 2 users, found 3"):
        lists.novelty(np.array([[0, 1]]), np.array([3, 1]), 2)
    with pytest.raises(ValueError, match="at least one event"):
        lists.popularity_share(np.array([[0, 1]]), np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="top"):
        lists.popularity_share(np.array([[0, 1]]), np.ones(2, dtype=np.int64), top=0)
