"""Pictures: sizes, modes, statistics of training rows, damaged files, movement, and a recipe end to end."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from intertask import Recipe
from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.errors import DataError, IntertaskError, RecipeError
from intertask.inputs.image import Config, Reader
from intertask.nn.dimensions import Dimensions
from intertask.nn.moved import Movement, moved
from intertask.predictor import Predictor
from tests import worlds

from .pictures import bars, of, png, shades

GRAY = np.arange(64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([GRAY, GRAY + 50, GRAY + 100], axis=2)


def built(config: Config, reader: Reader):
    with worlds.seeded():
        return config.build(Dimensions(16, 1, ("t",), fields={INPUT: reader}), None)


def test_pixels_come_back_as_they_were():
    values, _ = shades(3)
    rows = of([png(own) for own in values])
    assert torch.equal(Config().fit(rows).read(rows).values_BCHW[:, 0], torch.from_numpy(values))


def test_colours_have_three_channels_in_the_order_red_green_blue():
    rows = of([png(COLOUR), png(COLOUR[::-1].copy())])
    assert torch.equal(
        Config().fit(rows).read(rows).values_BCHW[0], torch.from_numpy(COLOUR).permute(2, 0, 1)
    )


def test_statistics_are_those_of_training_rows():
    rows = bars(20)
    train, other = rows.take(np.arange(10)), rows.take(np.arange(10, 20))
    reader = Config().fit(train)
    values = reader.read(train).values_BCHW.double()
    assert reader.means[0] == pytest.approx(float(values.mean()))
    assert reader.deviations[0] == pytest.approx(float(values.std(correction=0)))
    assert Config().fit(other) != reader


def test_a_reader_is_its_json():
    reader = Config(size=(4, 6), mode="gray").fit(bars(4))
    assert Config().reader(json.loads(reader.model_dump_json())) == reader


@pytest.mark.parametrize(
    "change", [{"means": (1.0, 2.0)}, {"height": 0}, {"deviations": (0.0,)}, {"mode": "x"}]
)
def test_a_hostile_reader_is_refused(change):
    table = Config().fit(bars(4)).model_dump(mode="json")
    with pytest.raises(ValidationError):
        Config().reader({**table, **change})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(GRAY)[:60], "expected a whole picture, found a damaged one"),
        (png(GRAY, "JPEG")[:200], "expected a whole picture, found a damaged one"),
        (b"", "expected a picture as PNG, JPEG, BMP, found an empty file"),
        (b"no picture at all", "found 17 bytes of something else"),
        (
            png(GRAY[:, :6]),
            "a picture of 8 x 8 in gray, as the first that trains, found one of 8 x 6 in gray",
        ),
        (png(COLOUR), "found one of 8 x 8 in colour"),
        (png(GRAY.astype(np.uint16) * 256), "found mode I;16"),
        (png(np.dstack([COLOUR, GRAY])), "found mode RGBA"),
    ],
)
def test_what_is_no_such_picture_is_one_line_with_its_row(content, said):
    rows = of([png(GRAY), png(GRAY + 9), content])
    with pytest.raises(DataError) as error:
        Config().fit(rows)
    assert said in str(error.value)
    assert "picture row 3" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mode", [None, "gray", "colour"])
def test_a_picture_of_more_than_8_bits_is_never_told_to_turn_its_mode(mode):
    with pytest.raises(DataError, match=r"expected 8 bits a channel, found mode I;16; save it with 8 bits"):
        Config(mode=mode).fit(of([png(GRAY.astype(np.uint16) * 256)] * 2))


def test_stated_size_and_mode_take_what_differs():
    rows = of([png(COLOUR), png(GRAY), png(np.dstack([COLOUR, GRAY])), png(GRAY[:4])])
    read = Config(size=(6, 10), mode="gray").fit(rows).read(rows)
    assert read.values_BCHW.shape == (4, 1, 6, 10)


def test_pictures_of_one_shade_teach_nothing():
    with pytest.raises(DataError, match="all of one shade"):
        Config().fit(of([png(GRAY * 0), png(GRAY * 0)]))


def test_a_small_file_that_would_unpack_to_gigabytes_is_refused(monkeypatch):
    monkeypatch.setattr("intertask.inputs._pictures.MOST_PIXELS", 63)
    with pytest.raises(DataError, match="63 pixels at most, found 8 x 8"):
        Config().fit(of([png(GRAY)]))


def test_too_many_patches_are_refused_before_anything_is_built():
    with pytest.raises(RecipeError, match="4,096 patches at most"):
        Config(patch=1, size=(100, 100)).fit(bars(4))


def test_rows_without_files_are_refused():
    from tests.samples.clinic import clinic

    with pytest.raises(RecipeError, match="an input that is files: none"):
        Config().fit(clinic(20))


def test_a_patch_of_convolutions_is_a_power_of_two():
    with pytest.raises(ValidationError, match="a power of two"):
        Config(patch=3)
    assert Config(patch=3, stem="patches").patch == 3


@pytest.mark.parametrize("stem", ["convolutions", "patches"])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_places_are_patches_also_where_the_picture_ends_within_one(stem, patch):
    rows = bars(3, side=6)
    config = Config(stem=stem, patch=patch)
    reader = config.fit(rows)
    given = reader.read(rows)
    hidden = built(config, reader).eval()(given).hidden_BLD
    assert hidden.shape[1] == int(given.lengths_B[0]) == (-(-6 // patch)) ** 2


def test_places_of_a_picture_are_told_apart():
    rows = of([png(GRAY), png(GRAY + 1)])
    config = Config(stem="patches")
    reader = replace_spread(config.fit(rows))
    given = replace(reader.read(rows), values_BCHW=torch.zeros(1, 1, 8, 8, dtype=torch.uint8))
    hidden = built(config, reader).eval()(given).hidden_BLD[0]
    assert len(torch.unique(hidden, dim=0)) == 4


def replace_spread(reader: Reader) -> Reader:
    return reader.model_copy(update={"means": (0.0,)})


def test_a_movement_of_nothing_is_nothing_and_a_flip_mirrors():
    values = torch.rand(64, 1, 5, 7)
    assert moved(values, Movement()) is values
    with worlds.seeded():
        flipped = moved(values, Movement(flip=True))
    same = torch.isclose(flipped, values, atol=1e-5).flatten(1).all(1)
    mirrored = torch.isclose(flipped, values.flip(3), atol=1e-5).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 10 < int(same.sum()) < 54


def test_a_shift_moves_by_so_many_pixels_at_most():
    values = torch.zeros(200, 1, 21, 21)
    values[:, 0, 10, 10] = 1.0
    with worlds.seeded():
        shifted = moved(values, Movement(shift=3))
    assert float(shifted[:, 0, :6].sum()) == 0.0
    assert float(shifted[:, 0, 6:15, 6:15].sum()) == pytest.approx(200, rel=0.02)
    assert float(shifted[:, 0, 7].sum()) > 1


def test_pictures_are_moved_in_training_alone():
    rows = bars(6)
    config = Config(shift=2)
    reader = config.fit(rows)
    module, given = built(config, reader), reader.read(rows)
    assert not torch.equal(module.train()(given).hidden_BLD, module(given).hidden_BLD)
    assert torch.equal(module.eval()(given).hidden_BLD, module(given).hidden_BLD)


def test_upright_is_the_top_of_a_photo_that_was_turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    rows = of([png(GRAY[:4], "JPEG", exif=exif), png(GRAY.T[:, :4].copy())])
    assert Config().fit(rows).height == 8


RECIPE = {
    "width": 16,
    "data": {"rows": {"path": "rows.csv", "files": ["picture"], "labels": ["bar"]}},
    "input": {"kind": "image"},
    "encoder": {"kind": "attention", "num_layers": 1, "dropout": 0.0},
    "tasks": {"bar": {"kind": "category"}},
    "train": {"epochs": 12, "workers": 0, "learning_rate": 0.01, "average": 0.5},
    "evaluation": {"resamples": 100, "references": {"neighbours": {"kind": "neighbours", "scaled": False}}},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bars")
    values, labels = shades(120)
    for place, own in enumerate(values):
        (folder / f"{place}.png").write_bytes(png(own))
    lines = [f"{place}.png,{label}" for place, label in enumerate(labels)]
    (folder / "rows.csv").write_text("\n".join(["picture,bar", *lines]))
    return folder


@pytest.fixture(scope="module")
def model(files) -> Predictor:
    rows = Rows.read(files / "rows.csv", files=["picture"], labels=["bar"])
    return Predictor(Recipe.model_validate(RECIPE)).fit(rows)


def test_bars_are_told_apart_and_files_answered(model, files, tmp_path):
    told = model.predict([{"picture": files / "0.png"}, {"picture": (files / "1.png").read_bytes()}][:1])
    assert told["bar"].to_list() == ["upright"]
    model.save(tmp_path / "model")
    again = Predictor.load(tmp_path / "model")
    rows = files / "rows.csv"
    assert again.predict(rows).equals(model.predict(rows))
    assert (again.predict(rows)["bar"].to_numpy()[:20] == ["upright", "lying"] * 10).mean() > 0.9


def test_references_see_pixels(model):
    found = model.evaluate().responses
    by_system = {row.system: row.metrics["accuracy"] for row in found}
    assert set(by_system) == {"intertask", "base rate", "neighbours"}
    assert by_system["intertask"] > 0.9


def test_the_command_line_answers_a_picture(model, files, tmp_path, capsys):
    from intertask.cli import main

    model.save(tmp_path / "model")
    arguments = ["predict", str(tmp_path / "model"), "--json"]
    assert run(main, [*arguments, "--image", str(files / "1.png")]) == 0
    assert json.loads(capsys.readouterr().out)[0]["bar"] == "lying"
    assert run(main, [*arguments, "--image", str(files / "nowhere.png")]) != 0
    assert "no such file" in capsys.readouterr().err
    assert run(main, [*arguments, "--audio", str(files / "1.png")]) != 0
    assert "a model with one such input" in capsys.readouterr().err


def run(main, arguments) -> int:
    import sys

    held, sys.argv = sys.argv, ["intertask", *arguments]
    try:
        main()
    except SystemExit as ending:
        return int(ending.code or 0)
    finally:
        sys.argv = held
    return 0


def test_a_damaged_picture_ends_a_training_in_one_line_before_it_begins(files, tmp_path):
    from intertask.runs import run as runs

    for file in files.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "7.png").write_bytes((files / "7.png").read_bytes()[:50])
    (tmp_path / "r.toml").write_text(toml(tmp_path))
    with pytest.raises(IntertaskError, match=r"7\.png.*expected a whole picture"):
        runs.train(tmp_path / "r.toml", tmp_path / "run")


def toml(folder: Path) -> str:
    return (
        'width = 16\n[data.rows]\npath = "rows.csv"\nfiles = ["picture"]\nlabels = ["bar"]\n'
        '[input]\nkind = "image"\n[tasks.bar]\nkind = "category"\n[train]\nepochs = 1\n'
    )


def test_data_about_health_say_so_in_answers_and_reports(model, tmp_path, capsys, files):
    from intertask.cli import main

    notice = "A demonstration on public data, no medical device."
    assert model.notice == "" and notice not in model.evaluate().notes
    data = {"rows": {"path": "rows.csv", "files": ["picture"], "labels": ["bar"]}, "medical": True}
    recipe = Recipe.model_validate({**RECIPE, "data": data})
    assert model.fitted is not None
    medical = Predictor.trained(recipe, model.fitted)
    found = medical.evaluate()
    assert found.notes[0] == notice
    assert [own.coverage for own in found.responses[0].abstention][-1] == 1.0
    medical.save(tmp_path / "model")
    assert run(main, ["predict", str(tmp_path / "model"), "--json", "--image", str(files / "1.png")]) == 0
    said = capsys.readouterr()
    assert notice in said.err and json.loads(said.out)[0]["bar"] == "lying"


@pytest.mark.parametrize("kind", ["pneumoniamnist", "ecg5000", "heart_disease", "breast_cancer"])
def test_known_sets_about_health_are_known_as_such(kind):
    recipe = Recipe.model_validate({"data": {"dataset": kind}})
    assert recipe.data.notice and not Recipe.model_validate({"data": {"dataset": "digits"}}).data.notice


def test_a_damaged_picture_of_the_test_part_ends_a_training_before_it_begins():
    values, labels = shades(30)
    files = [png(own) for own in values]
    parts = ["train"] * 20 + ["validation"] * 5 + ["test"] * 5
    files[27] = files[27][:40]
    frame = pl.DataFrame({"picture": files, "bar": labels, "part": parts})
    rows = Rows.read(frame, files=["picture"], labels=["bar"], part="part")
    recipe = Recipe.model_validate({**RECIPE, "split": {"kind": "official"}})
    with pytest.raises(DataError, match="picture row 28: expected a"):
        Predictor(recipe).fit(rows)
