import copy
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import load_file, save_file

import intertask as it
from intertask import Catalogue, Recommender
from intertask.errors import IntertaskError, RecipeError
from intertask.events.trainable import TrainableLog
from intertask.fitting.experiment import fit
from intertask.items.content import ContentItems
from intertask.texts.frozen import embed
from intertask.train.checkpoint import weights
from intertask.train.loop import Trainer
from tests import hostile, shop
from tests.encoder_folders import encoder_folder
from tests.items.test_content import catalogue, corpus, items_of
from tests.items.test_content import recipe as content_recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    titles = [title for title in catalogue().frame["title"] if title]
    return str(encoder_folder(tmp_path_factory.mktemp("encoder"), titles))


def recipe(folder: str, **items: object) -> it.Recipe:
    own = {"kind": "content", "encoder": folder, "text_width": 6, "learned_layers": 1, "learning_rate": 0.01}
    return content_recipe(items=own | items)


def untrained(own: it.Recipe) -> TrainableLog:
    split = own.split_events(corpus().sequences)
    return TrainableLog(own, corpus(), split, own.train, own.evaluation, own.seed)


@pytest.fixture(scope="module")
def trained(folder) -> Recommender:
    return Recommender(recipe(folder)).fit(corpus(), catalogue())


def learnt(items: ContentItems) -> list[torch.Tensor]:
    assert items.texts is not None
    return [weight for weight in items.texts.parameters() if weight.requires_grad]


def test_vectors_begin_as_those_of_the_frozen_encoder(folder):
    items = items_of(untrained(recipe(folder)).model).eval()
    frozen = items_of(untrained(recipe(folder, learned_layers=0)).model)
    assert items.texts is not None and frozen.texts is None
    torch.testing.assert_close(items._content(), frozen.features_IF)
    told = ["Thing 3", "", "things of all kinds"]
    np.testing.assert_allclose(items.texts.vectors(told), embed(told, folder), atol=1e-6)


def test_where_all_texts_are_drawn_their_gradients_are_those_of_one_graph(folder):
    items = items_of(untrained(recipe(folder, texts_per_step=1_000)).model).train()
    push_ID = torch.randn(len(items), items.content.out_features, generator=torch.Generator().manual_seed(0))
    push_ID[~torch.from_numpy(items.described.learned_I)] = 0  # no loss asks for them
    items.begin()
    (items.weight_ID * push_ID).sum().backward()
    items.collect()
    found = [weight.grad.clone() for weight in learnt(items)]
    items.zero_grad()
    assert items.texts is not None
    features_IF = items.features_IF.clone()
    features_IF[items.texts.items, : items.texts.width] = items.texts.blocks(items.texts.items)
    (items.content(features_IF) * push_ID).sum().backward()
    assert any(bool(gradient.any()) for gradient in found)
    for own, weight in zip(found, learnt(items), strict=True):
        torch.testing.assert_close(own, weight.grad)


def test_gradients_of_few_texts_are_in_the_mean_those_of_all(folder):
    items = items_of(untrained(recipe(folder)).model).train()
    assert items.texts is not None
    gradient_IP = torch.randn(len(items), items.texts.width, generator=torch.Generator().manual_seed(1))
    gradient_IP[::2] *= 10

    def passed_back(most: int) -> torch.Tensor:
        items.zero_grad()
        assert items.texts is not None
        items.texts.learn(gradient_IP, most)
        return torch.cat([weight.grad.flatten() for weight in learnt(items)])

    whole = passed_back(1_000)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = torch.stack([passed_back(4) for _ in range(150)])
    error = (drawn.mean(0) - whole).norm() / whole.norm()
    alone = (drawn[0] - whole).norm() / whole.norm()
    assert error < 0.25 and error < alone / 3


def test_upper_layers_alone_are_trained(folder, trained):
    before, after = items_of(untrained(recipe(folder)).model), items_of(trained.model)
    assert before.texts is not None and after.texts is not None
    there = {id(weight) for weight in learnt(before)}
    for (name, old), new in zip(before.texts.named_parameters(), after.texts.parameters(), strict=True):
        if id(old) not in there:
            assert torch.equal(old, new), name
    assert any(not torch.equal(*pair) for pair in zip(learnt(before), learnt(after), strict=True))


def test_a_model_has_the_content_that_its_encoder_makes(trained):
    items = items_of(trained.model)
    described = trained.model.dimensions.described
    assert described is items.described and described.texts is None
    titles = [title for title in catalogue().frame["title"] if title]
    told = catalogue().frame.filter(pl.col("title").is_not_null()).select(catalogue().frame.columns)
    assert items.texts is not None
    read = described.reader.read(told, items.texts.vectors)
    places = trained._ready().reader.items.encode(told["item"])
    assert len(titles) == len(places) and (places >= 0).all()
    np.testing.assert_allclose(described.features_IF[places], read.features_NF, atol=1e-5)


def test_a_saved_model_answers_as_before_without_the_encoders_folder(trained, tmp_path, monkeypatch):
    trained.save(tmp_path / "model")
    monkeypatch.setattr("intertask.texts.pretrained.find", lambda name: pytest.fail(f"{name} is read"))
    back = it.load(tmp_path / "model")
    assert set(weights(back.model)) == set(weights(trained.model))
    new = pl.DataFrame({"item": ["later"], "title": ["Thing 3"], "genres": ["odd"]})
    for model in (copy.copy(trained), back):
        told = model.add_items(new)
        assert told["nearest"].list.len().to_list() == [3]
    one, other = copy.copy(trained), it.load(tmp_path / "model")
    for model in (one, other):
        model.add_items(new)
    ask = {"histories": [[shop.item_id(1), shop.item_id(2)]], "k": 10}
    assert one.recommend(**ask).equals(other.recommend(**ask))


class StoppedError(Exception):
    """A run ends here."""


def test_a_stopped_run_ends_with_the_same_weights(folder, tmp_path, monkeypatch):
    own = recipe(folder, texts_per_step=3)
    few = {"epochs": 1, "checkpoint_steps": 1, "batch_tokens": 64}
    own = own.model_copy(update={"train": own.train.model_copy(update=few)})
    whole = fit(own, corpus(), tmp_path / "whole").model
    usual = Trainer._step

    def stopping(self, *arguments):
        if self.state.step == 2:
            raise StoppedError
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Trainer, "_step", stopping)
        fit(own, corpus(), tmp_path / "stopped")
    again = fit(own, corpus(), tmp_path / "stopped").model
    for name, weight in weights(whole).items():
        assert torch.equal(weight, weights(again)[name]), name


def changed(folder, **own) -> None:
    schema = json.loads((folder / "schema.json").read_text())
    schema["described"]["own"] |= own
    (folder / "schema.json").write_text(json.dumps(schema))


def with_tokenizer(folder, told: bytes) -> None:
    arrays = load_file(folder / "content.safetensors")
    save_file(arrays | {"tokenizer": np.frombuffer(told, np.uint8)}, folder / "content.safetensors")
    changed(folder, tokenizer=len(told))


def known_tokens(folder, count: int) -> None:
    config = json.loads((folder / "schema.json").read_text())["described"]["own"]["config"]
    changed(folder, config=config | {"vocab_size": count})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: changed(folder, config={"model_type": "bert", "hidden_size": 8}), "16 numbers.*8 of"),
        (lambda folder: changed(folder, config={"hidden_size": 16}), "model_type"),
        (lambda folder: changed(folder, config={"model_type": "x", "hidden_size": 10**12}), "at most"),
        (lambda folder: changed(folder, max_length=0), "max_length"),
        (lambda folder: with_tokenizer(folder, b"no JSON"), "tokenizer"),
        (lambda folder: with_tokenizer(folder, b"\xff\xfe"), "tokenizer"),
        (lambda folder: known_tokens(folder, 5), "tokens below 5"),
    ],
)
def test_a_hostile_folder_is_refused_in_one_line(trained, tmp_path, spoil, said):
    trained.save(tmp_path / "model")
    spoil(tmp_path / "model")
    hostile.seal(tmp_path / "model")
    with pytest.raises(IntertaskError, match=said) as caught:
        it.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"learned_layers": 3}, "learned_layers.*2 at most.*3"),
        ({"encoder": "hashed"}, "learned_layers.*texts of items, and an encoder.*no encoder"),
        ({"encoder": "/nowhere/encoder"}, "encoder.*nowhere"),
    ],
)
def test_what_cannot_learn_is_refused_in_one_line(folder, items, said):
    with pytest.raises(RecipeError, match=said) as caught:
        untrained(recipe(folder, **items))
    assert "\n" not in str(caught.value)


def test_a_catalogue_without_texts_is_refused(folder):
    own = recipe(folder)
    bare = Catalogue.read(shop.items(), item="sku", tags=["genres"])
    with pytest.raises(RecipeError, match=r"texts of items.*none"):
        TrainableLog(
            own,
            replace(corpus(), catalogue=bare),
            own.split_events(corpus().sequences),
            own.train,
            own.evaluation,
            own.seed,
        )
