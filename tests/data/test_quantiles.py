import numpy as np
import pytest

from intertask.data.quantiles import bin_edges

RANDOM = np.random.default_rng(0)


def test_different_values_are_shared_out_as_quantiles_do() -> None:
    values = RANDOM.normal(size=10_000).astype(np.float32)
    expected = np.quantile(values, np.linspace(0, 1, 9))
    assert np.allclose(bin_edges(values, 8), expected, atol=1e-2)


def test_a_value_that_most_rows_have_leaves_the_bins_to_the_others() -> None:
    gains = RANDOM.exponential(size=400).astype(np.float32)
    values = np.concatenate([np.zeros(9_600, np.float32), gains])
    expected = [0, *np.quantile(gains, np.linspace(0.1, 1, 10))]
    assert np.allclose(bin_edges(values, 11), expected, rtol=0.1, atol=0.05)


@pytest.mark.parametrize("num_bins", [1, 2, 24, 1_000])
@pytest.mark.parametrize("values", [[1], [1, 1], [1, 2], [0] * 50 + [1], [-3e38, 0, 3e38], list(range(30))])
def test_edges_rise_from_the_least_to_the_greatest(values: list[float], num_bins: int) -> None:
    edges = bin_edges(np.array(values, np.float32), num_bins)
    assert (edges[1:] > edges[:-1]).all() and 1 <= len(edges) <= num_bins + 1
    assert edges[0] == np.float32(min(values)) and edges[-1] == np.float32(max(values))


def test_few_different_values_have_an_edge_each() -> None:
    assert bin_edges(np.array([3, 1, 2, 2, 2, 1], np.float32), 24).tolist() == [1, 2, 3]
