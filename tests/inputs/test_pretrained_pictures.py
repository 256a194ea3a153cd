"""Pictures through a pretrained encoder: states, rates and frozen layers, safety, and a recipe end to end."""

import json
import shutil

import polars as pl
import pytest
import torch
import transformers
from pydantic import ValidationError

import intertask as it
from intertask import Recipe
from intertask.data.seam import INPUT
from intertask.errors import IntertaskError, RecipeError
from intertask.inputs.image import Config, Pretrained, Reader
from intertask.nn.dimensions import Dimensions
from intertask.nn.rates import own_rates
from intertask.predictor import Predictor
from tests import worlds
from tests.picture_folders import normalised, picture_folder

from .pictures import bars, png, shades

KINDS = ("vit", "resnet", "convnext")
PLACES = {"vit": 5, "resnet": 1, "convnext": 4}
ROWS = bars(12)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("encoders")
    return {kind: str(picture_folder(place / kind, kind)) for kind in KINDS}


@pytest.fixture
def folder(folders, tmp_path):
    return shutil.copytree(folders["vit"], tmp_path / "own")


def built(config: Config, reader: Reader | None = None) -> tuple[Pretrained, Reader]:
    reader = config.fit(ROWS) if reader is None else reader
    with worlds.seeded():
        part = config.build(Dimensions(16, 1, ("t",), fields={INPUT: reader}), None)
    assert isinstance(part, Pretrained)
    config.prepare(part)
    config.keep_rates(part, [])
    return part.eval(), reader


@pytest.mark.parametrize("kind", KINDS)
def test_states_are_those_of_the_encoder(folders, kind):
    part, reader = built(Config(pretrained=folders[kind]))
    fields = reader.read(ROWS)
    assert fields.places == PLACES[kind]
    with torch.no_grad():
        found = part(fields).hidden_BLD
        own = transformers.AutoModel.from_pretrained(folders[kind]).eval()
        states = own(pixel_values=part.shades(fields)).last_hidden_state
    states = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
    torch.testing.assert_close(found, states)


def test_pictures_are_drawn_to_the_size_and_shades_of_the_encoder(folder):
    normalised(folder, 0.5, 0.25)
    reader = Config(pretrained=str(folder)).fit(bars(4, side=12))
    assert (reader.height, reader.width, reader.mode) == (8, 8, "gray")
    assert reader.means == (127.5,) and reader.deviations == (63.75,)
    assert Config(pretrained=str(folder)).reader(json.loads(reader.model_dump_json())) == reader


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_layers_stay_and_others_learn_slower_from_above_to_below(folders, kind):
    config = Config(pretrained=folders[kind], frozen_layers=1, learning_rate=1e-3, layer_decay=0.5)
    part, reader = built(config)
    below, above = part.backbone.layers()
    rates = own_rates(part)
    assert {rates[id(weight)] for weight in above.parameters()} == {1e-3}
    assert not any(weight.requires_grad for weight in below.parameters())
    part.train()
    before = {name: value.clone() for name, value in part.backbone.own.state_dict().items()}
    lower = {id(value) for value in (*below.parameters(), *below.buffers())}
    part(reader.read(ROWS)).hidden_BLD.sum().backward()
    for name, value in part.backbone.own.named_buffers():
        if id(value) in lower:
            assert torch.equal(value, before[name]), name
    whole, _ = built(config.model_copy(update={"frozen_layers": 0}))
    rates = own_rates(whole)
    first, second = whole.backbone.layers()
    assert {rates[id(weight)] for weight in second.parameters()} == {1e-3}
    assert {rates[id(weight)] for weight in first.parameters()} == {5e-4}


def test_an_encoder_that_learns_nothing_stands_still(folders):
    part, reader = built(Config(pretrained=folders["resnet"], learning_rate=0.0))
    before = {name: value.clone() for name, value in part.backbone.state_dict().items()}
    part.train()(reader.read(ROWS))
    for name, value in part.backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 100), {}, "weights that cannot be"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), {}, "pickled"),
        (lambda folder: (folder / "config.json").unlink(), {}, "without config.json"),
        (lambda folder: changed(folder, num_hidden_layers=0), {}, "num_hidden_layers.*1 at least.*0"),
        (lambda folder: changed(folder, num_hidden_layers=-2), {}, "num_hidden_layers.*1 at least.*-2"),
        (lambda folder: changed(folder, num_hidden_layers=10**9), {}, "num_hidden_layers.*1,000 at most"),
        (lambda folder: changed(folder, image_size=[8, 10**9]), {}, "image_size.*at most"),
        (lambda folder: changed(folder, model_type="bert"), {}, "reads no pictures"),
        (lambda folder: changed(folder, num_channels=7), {}, "num_channels = 7"),
        (lambda folder: normalised(folder, 0.5, 0.0), {}, "image_std"),
        (lambda folder: normalised(folder, float("nan"), 0.5), {}, "preprocessor_config.json"),
        (lambda _: None, {"size": (12, 12)}, "pictures that the encoder reads.*12 x 12"),
        (lambda _: None, {"mode": "colour"}, "pictures that the encoder reads.*3 x 8 x 8"),
        (lambda _: None, {"frozen_layers": 3}, "frozen_layers.*2 at most.*3"),
    ],
)
def test_what_is_no_encoder_of_these_pictures_is_refused_in_one_line(folder, spoil, options, said):
    spoil(folder)
    with pytest.raises(RecipeError, match=said) as caught:
        built(Config(pretrained=str(folder), **options))
    assert "\n" not in str(caught.value)


def changed(folder, **config) -> None:
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | config))


def test_layers_of_no_encoder_are_refused():
    for option in ({"frozen_layers": 1}, {"layer_decay": 0.9}):
        with pytest.raises(ValidationError, match="with pretrained alone"):
            Config(**option)


def test_a_recipe_learns_bars_and_its_model_needs_the_folder_no_more(folder, tmp_path):
    recipe = Recipe.model_validate(
        {
            "name": "bars",
            "width": 16,
            "input": {"kind": "image", "pretrained": str(folder), "learning_rate": 3e-3},
            "split": {"kind": "rows"},
            "tasks": {"label": {"kind": "category"}},
            "train": {
                "epochs": 10,
                "monitor": "label/-log_loss",
                "learning_rate": 1e-2,
                "batch_tokens": 80,
                "workers": 0,
            },
        }
    )
    assert recipe.encoder.kind == "none"
    predictor = Predictor(recipe).fit(bars(60))
    predictor.save(tmp_path / "model")
    shutil.rmtree(folder)
    back = it.load(tmp_path / "model")
    values, labels = shades(20, seed=1)
    asked = [{"picture": png(own)} for own in values]
    told = predictor.predict(asked)
    assert back.predict(asked).equals(told)
    assert (told["label"] == pl.Series(labels)).mean() > 0.9


def test_a_folder_of_a_model_with_a_strange_encoder_is_refused(folder, tmp_path):
    _, reader = built(Config(pretrained=str(folder)))
    told = json.loads(reader.model_dump_json())
    with pytest.raises(ValidationError, match="an encoder and what it makes"):
        Reader.model_validate(told | {"made": None})
    strange = Reader.model_validate(told | {"encoder": told["encoder"] | {"num_hidden_layers": 0}})
    with pytest.raises(IntertaskError, match="num_hidden_layers"):
        Config(pretrained=str(folder)).build(Dimensions(16, 1, ("t",), fields={INPUT: strange}), None)
