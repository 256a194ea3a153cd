import copy
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch

import intertask as it
from intertask import Catalogue, Recipe, Recommender
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.errors import RecipeError
from intertask.events.trainable import TrainableLog
from intertask.items.content import ContentItems
from tests import shop

ITEMS = {
    "kind": "content",
    "radius": 4,
    "evidence": 5,
    "id_dropout": 0.2,
    "encoder": "hashed",
    "text_width": 8,
}
NEW = 5


def catalogue() -> Catalogue:
    """The shop's, with items that nobody has had."""
    new = pl.DataFrame(
        {
            "sku": [f"new {n}" for n in range(NEW)],
            "title": [f"Thing {n}" for n in range(NEW - 1)] + [None],
            "genres": ["odd|all"] * (NEW - 1) + [None],
        }
    )
    return Catalogue.read(pl.concat([shop.items(), new]), item="sku", text=["title"], tags=["genres"])


def recipe(**changes: object) -> it.Recipe:
    return shop.recipe(**{"items": ITEMS} | changes)


@cache
def corpus() -> Corpus:
    return prepare(shop.log(), catalogue=catalogue())


@cache
def recommender() -> Recommender:
    """A trained one, made once; nobody may change it."""
    return Recommender(recipe()).fit(corpus(), catalogue())


def untrained(**changes: object) -> TrainableLog:
    own = recipe(**changes)
    split = own.split_events(corpus().sequences)
    return TrainableLog(own, corpus(), split, own.train, own.evaluation, own.seed)


def items_of(model) -> ContentItems:
    assert isinstance(model.items, ContentItems)
    return model.items


def test_no_number_of_an_item_without_training_events_is_ever_trained():
    changes = {"train": {"epochs": 3, "workers": 0, "table_decay": 0.01}}
    part = untrained(**changes)
    before = copy.deepcopy(part.model)
    trained = Recommender(recipe(**changes)).fit(corpus(), catalogue()).model
    cold = ~torch.from_numpy(part.model.dimensions.described.learned_I)
    assert cold.sum() >= NEW
    assert torch.equal(items_of(trained).own.weight[cold], items_of(before).own.weight[cold])
    assert not torch.equal(items_of(trained).own.weight[~cold], items_of(before).own.weight[~cold])
    for name, bias in (("liked", "item_bias"),):
        now, then = (getattr(model.task(name), bias).weight for model in (trained, before))
        assert torch.equal(now[cold], then[cold])
        assert not torch.equal(now[~cold], then[~cold])


@pytest.mark.parametrize("loss", ["full_softmax", {"kind": "shared_pool", "num_negatives": 8}, "gbce"])
@pytest.mark.parametrize("temperature", [None, 0.1])
def test_items_without_training_events_are_in_no_loss(loss, temperature):
    tasks = {"next": {"kind": "next_item", "loss": loss, "temperature": temperature}}
    part = untrained(tasks=tasks, items=ITEMS | {"id_dropout": 0})
    batch = part.feed.batch(np.arange(8))
    part.model.train()

    def loss_now() -> float:
        torch.manual_seed(0)
        return float(part.model.losses(batch)["next"].detach())

    first = loss_now()
    with torch.no_grad():
        cold = ~torch.from_numpy(part.model.dimensions.described.learned_I)
        items_of(part.model).features_IF[cold] += 100
    assert loss_now() == first


def test_a_step_passes_back_what_separate_readers_would():
    part = untrained(items=ITEMS | {"id_dropout": 0}, input={"kind": "events", "dropout": 0})
    items, batch = items_of(part.model), part.feed.batch(np.arange(8))
    part.model.eval()  # no dropout, but the graph of a step
    items.train()
    gradients = []
    for in_step in (False, True):
        part.model.zero_grad(set_to_none=True)
        if in_step:
            items.begin()
        sum(part.model.losses(batch).values()).backward()
        items.collect()
        gradients.append([weight.grad.clone() for weight in items.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert one.abs().max() > 0
        assert torch.allclose(one, other, atol=1e-6)


def test_vectors_in_evaluation_follow_the_weights():
    items = items_of(copy.deepcopy(recommender().model)).eval()
    with torch.no_grad():
        before = items.weight_ID
        assert items.weight_ID is before  # not made twice
        items.content.weight.add_(1)
        assert not torch.equal(items.weight_ID, before)
        before = items.weight_ID
    items.train()
    optimiser = torch.optim.AdamW(items.parameters(), lr=0.1, fused=True)
    items.weight_ID.sum().backward()
    optimiser.step()
    items.eval()
    with torch.no_grad():
        assert not torch.equal(items.weight_ID, before)


def test_the_own_part_is_bounded_and_grows_with_evidence():
    items = items_of(copy.deepcopy(recommender().model)).eval()
    with torch.no_grad():
        items.own.weight.fill_(1e3)
        lengths = (items.weight_ID - items.of_content()).norm(dim=1)
    counts = items.described.evidence_I
    assert (lengths <= items.config.radius).all()
    order = np.argsort(counts)
    assert (np.diff(lengths.numpy()[order]) >= -1e-4).all()
    assert (lengths.numpy()[counts == 0] == 0).all()


def test_items_without_events_are_recommended_by_their_content_or_not_at_all():
    model = recommender()
    found = model.recommend(histories=[[shop.item_id(0)]], k=20, exclude_seen=False)["item"].to_list()
    assert {f"new {n}" for n in range(NEW - 1)} < set(found)
    assert f"new {NEW - 1}" not in found  # nothing is known of it


def test_a_model_of_content_is_the_same_when_it_is_loaded(tmp_path):
    model = recommender()
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    users = [shop.user_id(n) for n in range(5)]
    assert loaded.recommend(users, k=5).equals(model.recommend(users, k=5))
    assert loaded.predict(users, items=["new 0"], task="liked").equals(
        model.predict(users, items=["new 0"], task="liked")
    )
    assert loaded.evaluate(shop.log()).rankings == model.evaluate().rankings


def test_the_corpus_of_a_catalogue_is_the_same_from_a_folder(tmp_path):
    there = prepare(shop.log(), tmp_path / "corpus", catalogue())
    assert there.digest() == corpus().digest() != prepare(shop.log()).digest()
    assert there.items.ids.to_list() == corpus().items.ids.to_list()


def test_numbers_and_their_spelling_are_one_item():
    log = it.EventLog.read(pl.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1]}))
    texts = pl.DataFrame({"item": ["1", "2", "3"], "title": ["a", "b", "c"]})
    assert prepare(log, catalogue=Catalogue.read(texts, text=["title"])).items.ids.to_list() == [1, 2, 3]
    texts = pl.DataFrame({"item": ["1", "2", "x"], "title": ["a", "b", "c"]})
    assert prepare(log, catalogue=Catalogue.read(texts, text=["title"])).items.ids.to_list() == [
        "1",
        "2",
        "x",
    ]


def test_content_without_a_catalogue_is_refused():
    with pytest.raises(RecipeError, match="a catalogue with text"):
        Recommender(recipe()).fit(shop.corpus())
    ids = Catalogue.read(shop.items().select("sku"), item="sku")
    with pytest.raises(RecipeError, match="one of ids alone"):
        Recommender(recipe()).fit(shop.corpus(), ids)


def test_runs_from_before_there_was_another_kind_of_items_go_on():
    assert "items" not in shop.recipe().shaping()
    assert "items" in recipe().shaping()


def test_a_run_from_files_trains_serves_and_evaluates_items_of_content(tmp_path):
    told = '[items]\nkind = "content"\nencoder = "hashed"\ntext_width = 8\n\n[encoder]'
    toml = shop.TOML.replace("[encoder]", told).replace("epochs = 2", "epochs = 1")
    file = shop.write_files(tmp_path, toml)
    catalogue().frame.with_columns(pl.col("genres").list.join("|")).rename({"item": "sku"}).write_csv(
        tmp_path / "items.csv"
    )
    it.train_recipe(str(file), tmp_path / "run")
    model = Recommender.load(tmp_path / "run")
    assert "new 0" in model.items["item"].to_list()
    assert model.evaluate(run=tmp_path / "run").rankings


@pytest.mark.parametrize(
    ("options", "bonus", "mixed"),
    [
        ({}, 0.75, 1.5),
        ({"radius": 4, "evidence": 5}, 0, 0),
        ({"new_item_bonus": 0.1}, 0.1, 0.1),
        ({"radius": 0}, 0, 0),
    ],
)
def test_new_items_are_raised_where_nothing_bounds_the_others(options, bonus, mixed):
    """A model of the former defaults has a radius of 4 and no bonus in its recipe, and ranks as it did."""
    items = Recipe.model_validate({"items": {"kind": "content"} | options}).items
    assert (items.bonus_of_new(mixed=False), items.bonus_of_new(mixed=True)) == (bonus, mixed)
