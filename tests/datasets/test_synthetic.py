from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from intertask.datasets.synthetic import Config


def frame(config: Config) -> pl.DataFrame:
    return config.load(Path()).events.frame


def steps(config: Config) -> np.ndarray:
    """How often each item followed each other one, [items, items]."""
    pairs = frame(config).with_columns(pl.col("item").shift(-1).over("user").alias("next")).drop_nulls("next")
    counted = np.zeros((config.items, config.items))
    np.add.at(counted, (pairs["item"].to_numpy(), pairs["next"].to_numpy()), 1)
    return counted


def test_items_follow_each_other_as_the_matrix_says() -> None:
    config = Config(users=4_000, items=12, length=30)
    counted = steps(config)
    assert np.allclose(counted / counted.sum(axis=1, keepdims=True), config.transition_matrix(), atol=0.02)


def test_in_noise_the_present_item_says_nothing_of_the_next() -> None:
    counted = steps(Config(world="noise", users=4_000, items=12, length=30))
    expected = counted.sum(axis=1, keepdims=True) * counted.sum(axis=0) / counted.sum()
    chi_square = ((counted - expected) ** 2 / expected).sum()
    assert chi_square < 121 + 5 * np.sqrt(2 * 121)


@pytest.mark.parametrize("world", ["markov", "noise"])
def test_every_row_and_column_of_the_matrix_sums_to_one(world: str) -> None:
    matrix = Config(world=world, items=50).transition_matrix()  # type: ignore[arg-type]
    assert np.allclose(matrix.sum(axis=1), 1)
    assert np.allclose(matrix.sum(axis=0), 1)  # so all items are equally frequent in the long run


def test_the_same_options_give_the_same_world_and_another_seed_another() -> None:
    assert frame(Config(users=50)).equals(frame(Config(users=50)))
    assert not frame(Config(users=50)).equals(frame(Config(users=50, seed=1)))


def test_sizes_are_as_asked() -> None:
    events = frame(Config(users=300, items=40, length=10))
    lengths = events.group_by("user").len()["len"]
    assert events["user"].n_unique() == 300
    assert events["item"].n_unique() == 40
    assert lengths.min() >= 5
    assert lengths.max() <= 15
    assert abs(lengths.mean() - 10) < 1
    assert set(events["behaviour"]) == {"view", "cart", "buy"}


def test_times_rise_within_a_user() -> None:
    gaps = (
        frame(Config(users=100))
        .select(pl.col("time").diff().over("user").dt.total_seconds())["time"]
        .drop_nulls()
    )
    assert gaps.min() >= 1
    assert 2_000 < gaps.mean() < 5_000


def test_liked_items_are_told_by_their_label_and_their_purchases() -> None:
    events = (
        frame(Config(users=1_000))
        .group_by(pl.col("item") % 2)
        .agg(pl.col("liked").mean(), (pl.col("behaviour") == "buy").mean().alias("bought"))
        .sort("item")
    )
    assert np.allclose(events["liked"], [0.1, 0.9], atol=0.02)
    assert np.allclose(events["bought"], [0.1, 0.4], atol=0.02)


def test_a_world_of_one_item_is_refused() -> None:
    with pytest.raises(ValidationError):
        Config(items=1)
