import warnings
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.metrics import ranking

METRICS = [
    ranking.hit_rate,
    ranking.reciprocal_rank,
    ranking.recall,
    ranking.ndcg,
    ranking.average_precision,
]
NUM_ITEMS = 30

queries_of_ranks = st.lists(
    st.lists(st.integers(1, NUM_ITEMS), min_size=1, max_size=8, unique=True), min_size=1, max_size=12
)
each_metric = pytest.mark.parametrize("metric", METRICS)


def flat(queries):
    ranks = np.array([rank for query in queries for rank in query], dtype=np.int64)
    return ranks, np.cumsum([0, *map(len, queries)])


def slowly(name, relevant, k):
    """The textbook definition for one query, walking down the list place by place."""
    hits = [place in relevant for place in range(1, k + 1)]
    if name == "hr":
        return float(any(hits))
    if name == "mrr":
        return next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)
    if name == "recall":
        return sum(hits) / len(relevant)
    best = min(k, len(relevant))
    if name == "ndcg":
        ideal = sum(1 / log2(place + 1) for place in range(1, best + 1))
        return sum(1 / log2(place + 1) for place, hit in enumerate(hits, 1) if hit) / ideal
    return sum(sum(hits[:place]) / place for place, hit in enumerate(hits, 1) if hit) / best


@given(queries_of_ranks, st.integers(1, NUM_ITEMS + 5))
def test_metrics_equal_their_textbook_definition(queries, k):
    ranks, offsets = flat(queries)
    for name, values in ranking.per_query(ranks, [k], offsets).items():
        expected = [slowly(name.split("@")[0], query, k) for query in queries]
        np.testing.assert_allclose(values, expected, err_msg=name)


@each_metric
@given(queries=queries_of_ranks, k=st.integers(1, NUM_ITEMS))
def test_metrics_lie_between_0_and_1(metric, queries, k):
    ranks, offsets = flat(queries)
    values = metric(ranks, k, offsets)
    assert values.shape == (len(queries),)
    assert values.dtype == np.float64
    assert np.all((values >= 0) & (values <= 1 + 1e-12))


@each_metric
@given(num_relevant=st.lists(st.integers(1, 8), min_size=1, max_size=6), k=st.integers(1, 12))
def test_perfect_ranks_give_1(metric, num_relevant, k):
    ranks, offsets = flat([list(range(1, count + 1)) for count in num_relevant])
    expected = np.minimum(k / np.array(num_relevant), 1.0) if metric is ranking.recall else 1.0
    np.testing.assert_allclose(metric(ranks, k, offsets), expected)


@pytest.mark.parametrize("metric", [ranking.hit_rate, ranking.reciprocal_rank, ranking.recall])
@given(queries=queries_of_ranks, k=st.integers(1, NUM_ITEMS))
def test_a_longer_list_is_never_worse(metric, queries, k):
    ranks, offsets = flat(queries)
    assert np.all(metric(ranks, k, offsets) <= metric(ranks, k + 1, offsets))


@each_metric
@given(ranks=st.lists(st.integers(1, NUM_ITEMS), min_size=1, max_size=12), k=st.integers(1, NUM_ITEMS))
def test_a_longer_list_is_never_worse_for_one_target(metric, ranks, k):
    assert np.all(metric(np.array(ranks), k) <= metric(np.array(ranks), k + 1))


@each_metric
@given(queries=queries_of_ranks, k=st.integers(1, NUM_ITEMS), data=st.data())
def test_a_better_rank_is_never_worse(metric, queries, k, data):
    ranks, offsets = flat(queries)
    place = data.draw(st.integers(0, len(ranks) - 1))
    query = int(np.searchsorted(offsets, place, side="right")) - 1
    better = ranks.copy()
    better[place] = data.draw(st.integers(1, int(ranks[place])))
    own = better[offsets[query] : offsets[query + 1]]
    if len(set(own.tolist())) == len(own):  # two items cannot stand in one place
        assert np.all(metric(better, k, offsets) >= metric(ranks, k, offsets) - 1e-12)


@each_metric
@given(queries=queries_of_ranks, k=st.integers(1, NUM_ITEMS), data=st.data())
def test_the_order_of_queries_and_of_targets_does_not_matter(metric, queries, k, data):
    order = data.draw(st.permutations(range(len(queries))))
    shuffled = [data.draw(st.permutations(queries[query])) for query in order]
    expected = metric(*_arguments(queries, k))[np.array(order)]
    np.testing.assert_allclose(metric(*_arguments(shuffled, k)), expected)


def _arguments(queries, k):
    ranks, offsets = flat(queries)
    return ranks, k, offsets


@each_metric
@given(ranks=st.lists(st.integers(1, NUM_ITEMS), max_size=12), k=st.integers(1, NUM_ITEMS))
def test_one_target_is_the_same_with_and_without_offsets(metric, ranks, k):
    ranks = np.array([1, *ranks])
    np.testing.assert_allclose(metric(ranks, k), metric(ranks, k, np.arange(len(ranks) + 1)))


def test_known_answers_by_hand():
    # Relevant items in places 1, 3 and 6 of a list; k = 5 sees two of three.
    ranks, offsets = np.array([6, 1, 3]), np.array([0, 3])
    ideal = 1 + 1 / log2(3) + 1 / 2
    found = {name: values[0] for name, values in ranking.per_query(ranks, [5], offsets).items()}
    assert found == pytest.approx(
        {
            "hr@5": 1.0,
            "mrr@5": 1.0,
            "recall@5": 2 / 3,
            "ndcg@5": (1 + 1 / 2) / ideal,
            "map@5": (1 / 1 + 2 / 3) / 3,
        }
    )


def test_the_ideal_and_the_precision_are_cut_at_k():
    ranks, offsets = np.arange(1, 6), np.array([0, 5])
    assert ranking.ndcg(ranks, 2, offsets) == pytest.approx([1.0])
    assert ranking.average_precision(ranks, 2, offsets) == pytest.approx([1.0])
    assert ranking.recall(ranks, 2, offsets) == pytest.approx([2 / 5])


def test_tied_targets_that_share_a_rank_gain_nothing_from_it():
    # Two targets tie for places 1 and 2; against the model both stand second.
    tied, offsets = np.array([2, 2]), np.array([0, 2])
    assert ranking.average_precision(tied, 2, offsets) == pytest.approx([(1 / 2 + 2 / 2) / 2])
    assert ranking.ndcg(tied, 2, offsets)[0] < 1


# numba, under ranx, warns of ranx's own casts while it compiles; that is not ours to mend.
@pytest.mark.filterwarnings("ignore")
def test_metrics_equal_those_of_ranx():
    ranx = pytest.importorskip("ranx")
    generator = np.random.default_rng(5)
    # ranx divides the sum of precisions by the relevant items: at most 5 of them keep min(k, relevant) equal.
    queries = [
        generator.choice(np.arange(1, 41), generator.integers(1, 6), replace=False).tolist()
        for _ in range(200)
    ]
    relevant = {f"q{q}": {f"i{rank}": 1 for rank in ranks} for q, ranks in enumerate(queries)}
    listed = {f"q{q}": {f"i{place}": 1 / place for place in range(1, 41)} for q in range(len(queries))}
    ranks, offsets = flat(queries)
    names = [f"{name}@{k}" for name in ("hit_rate", "ndcg", "mrr", "recall", "map") for k in (5, 10, 20)]
    expected = ranx.evaluate(ranx.Qrels(relevant), ranx.Run(listed), names, return_mean=True)
    found = ranking.means(ranking.per_query(ranks, [5, 10, 20], offsets))
    assert {name.replace("hit_rate", "hr"): value for name, value in expected.items()} == pytest.approx(found)


@each_metric
def test_what_is_no_rank_is_refused(metric):
    with pytest.raises(ValueError, match="k: expected at least 1, found 0"):
        metric(np.array([1]), 0)
    with pytest.raises(ValueError, match="1-based ranks, found 0"):
        metric(np.array([3, 0]), 5)
    with pytest.raises(ValueError, match="expected integers, found float64"):
        metric(np.array([1.0]), 5)
    with pytest.raises(ValueError, match="none for query 1"):
        metric(np.array([1, 2]), 5, np.array([0, 1, 1, 2]))
    with pytest.raises(ValueError, match="offsets"):
        metric(np.array([1, 2]), 5, np.array([0, 1]))


def test_no_queries_have_values_but_no_mean():
    values = ranking.per_query(np.array([], dtype=np.int64), [10])
    assert all(len(array) == 0 for array in values.values())
    with pytest.raises(ValueError, match="at least one query"):
        ranking.means(values)


def test_ranks_far_beyond_k_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = ranking.per_query(np.array([1, 2**31 - 1], dtype=np.int32), [1, 10])
    assert all(array.tolist() == [1.0, 0.0] for array in values.values())
