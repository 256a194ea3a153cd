"""A training that starts from another model: its items are found again by their ids."""

import numpy as np
import polars as pl
import pytest
import torch

from intertask import Recommender
from intertask.errors import RequestError
from intertask.train.checkpoint import weights
from tests import shop

ONCE = {"train": {"epochs": 1, "workers": 0, "learning_rate": 1e-9, "average": 0.0}}


def longer():
    """The shop with another item, whose id stands before all others."""
    frame = shop.events()
    rows = frame.group_by("visitor").agg(pl.col("ts").max() + 5).sort("visitor").head(30)
    own = rows.with_columns(
        pl.lit("aa").alias("sku"),
        pl.lit(shop.BEHAVIOURS[0]).alias("action"),
        pl.lit(None, pl.Float64).alias("liked"),
    )
    more = own.with_columns(pl.col("ts") + 5, pl.lit(shop.item_id(1)).alias("sku"))
    again = more.with_columns(pl.col("ts") + 5, pl.lit(shop.item_id(2)).alias("sku"))
    last = again.with_columns(pl.col("ts") + 5, pl.lit(shop.item_id(3)).alias("sku"))
    return shop.log(pl.concat([frame, *(part.select(frame.columns) for part in (own, more, again, last))]))


def test_training_goes_on_from_the_weights_of_the_other_model():
    old = shop.recommender()
    new = Recommender(shop.recipe(**ONCE)).fit(longer(), shop.catalogue(), start_from=old)
    kept, learned = weights(old.model), weights(new.model)
    items = old.answerer.reader.items.ids
    places = torch.from_numpy(new.answerer.reader.items.encode(items).astype(np.int64))
    assert places.tolist() != list(range(len(items)))  # the new item stands before them
    for name, weight in learned.items():
        if name.endswith((".calibration", "bias")) or "own" in name:
            continue
        own = weight if weight.shape == kept[name].shape else weight[places]
        torch.testing.assert_close(own, kept[name], rtol=0, atol=1e-4)


def test_what_is_learned_is_learned_faster():
    old = Recommender(shop.recipe(train={"epochs": 6, "workers": 0})).fit(shop.log())
    losses = []
    for start in (old, None):
        told = []
        Recommender(shop.recipe(train={"epochs": 1, "workers": 0})).fit(
            longer(), on_epoch=lambda epoch, told=told: told.append(epoch.losses["next"]), start_from=start
        )
        losses.append(told[0])
    assert losses[0] < losses[1]


def test_another_recipe_is_refused():
    with pytest.raises(RequestError, match=r"start_from.*the same recipe"):
        Recommender(shop.recipe(width=16)).fit(shop.log(), start_from=shop.recommender())


def test_other_behaviours_are_refused():
    frame = shop.events().with_columns(pl.lit("look").alias("action"))
    with pytest.raises(RequestError, match=r"start_from.*behaviours"):
        Recommender(shop.recipe(tasks={"next": {"kind": "next_item"}})).fit(
            shop.log(frame), start_from=shop.recommender()
        )


@pytest.mark.parametrize("other", ["model", 3])
def test_what_is_no_model_is_refused(other):
    with pytest.raises(RequestError, match=r"start_from.*a trained Recommender"):
        Recommender(shop.recipe()).fit(shop.log(), start_from=other)


def test_an_untrained_model_is_refused():
    with pytest.raises(RequestError, match="a trained model"):
        Recommender(shop.recipe()).fit(shop.log(), start_from=Recommender(shop.recipe()))
