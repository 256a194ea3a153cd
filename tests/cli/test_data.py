"""`intertask data` says what `train` will say, and `--set` changes both."""

import json
from pathlib import Path

import pytest

from intertask.recipe import Recipe
from tests import shop


def mended(shop_files, old, new):
    shop_files.write_text(shop.TOML.replace(old, new), encoding="utf-8")
    return shop_files


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"buy"', '"by"'),
        ('label = "liked"', 'label = "like"'),
        ('label = "liked"', 'label = "liked"\nat_least = 7'),
        ("[train]", '[split]\nkind = "time"\ntrain = 0.999999\nvalidation = 0.0000001\n[train]'),
        ("epochs = 2", 'epochs = 2\nmonitor = "next/nothing"'),
        ("epochs = 2", 'epochs = 2\ndevice = "cuda"'),
    ],
)
def test_what_training_refuses_is_refused_by_data_in_the_same_words(old, new, shop_files, intertask):
    mended(shop_files, old, new)
    expected = intertask.refused("train", shop_files, "--run", "run")
    done = intertask("data", shop_files, "--json", "--out", "out")
    assert done.code == 2
    assert done.err == f"error: {expected}\n"
    if done.out:  # what was read is shown all the same
        assert json.loads(done.out)["users"] == shop.NUM_USERS
    assert not Path("out").exists()


def test_a_recipe_that_fits_is_shown_and_written(shop_files, intertask):
    done = intertask("data", shop_files, "--out", "out")
    assert done.code == 0 and "users                  30" in done.out
    assert Path("out/sequences").exists()


def test_a_change_counts_in_data_and_train_and_stands_in_the_run(shop_files, intertask):
    assert "[tasks.buys] behaviour" in intertask("data", shop_files, "--set", "tasks.buys.behaviour=by").err
    changes = ["--set", "train.epochs=1", "--set", "encoder.kind=rnn"]
    assert intertask("train", shop_files, "--run", "run", *changes).code == 0
    trained = Recipe.read("run/recipe.json")
    assert trained.train.epochs == 1 and trained.encoder.kind == "rnn"
    assert (
        Path("run/recipe.toml")
        .read_text(encoding="utf-8")
        .startswith("# changed by '--set train.epochs=1'\n# changed by '--set encoder.kind=rnn'\n")
    )
    assert "other options (encoder, train)" in intertask.refused("train", shop_files, "--run", "run")
    assert "--set train.epochs=0 [train] epochs: expected" in intertask.refused(
        "train", shop_files, "--set", "train.epochs=0"
    )
    assert "--set" in intertask.refused("data", "movielens_1m", "--set", "width=3")


def test_damaged_lines_are_counted_and_written(shop_files, intertask):
    with Path("events.csv").open("a") as file:
        file.write("a,b,c,d,e,=f\n")
    done = intertask("data", shop_files, "--refused", "refused.csv")
    assert "refused 1 (more cells than columns 1)" in done.out
    assert 'more cells than columns,,"line ' in Path("refused.csv").read_text()
    assert intertask("data", shop_files, "--strict").code == 2


def test_separator_and_encoding_stand_in_a_recipe(shop_files, intertask):
    text = Path("events.csv").read_text(encoding="utf-8").replace(",", ";").replace("№", "Größe ")
    Path("events.csv").write_bytes(text.encode("cp1252"))
    assert "say encoding = 'cp1252'" in intertask.refused("data", shop_files)
    options = ["--set", "data.events.encoding=cp1252", "--set", "data.events.separator=';'"]
    done = intertask("data", shop_files, "--json", *options)
    assert done.code == 0 and json.loads(done.out)["events"] == shop.events().height
    assert "encoding: expected an encoding of text" in intertask.refused(
        "data", shop_files, "--set", "data.events.encoding=klingon"
    )


def test_few_targets_that_choose_are_named_by_data_and_before_training(shop_files, intertask):
    words = "note: Task liked has "  # of all that choose the one that is nearest to enough
    told = json.loads(intertask("data", shop_files, "--json").out)["notes"]
    assert [note for note in told if f"note: {note}".startswith(words)]
    done = intertask("train", shop_files, "--json")
    lines = done.err.splitlines()
    assert lines[0].startswith(words) and lines[1].startswith("epoch 0 ")
    assert lines[0].removeprefix("note: ") in json.loads(done.out)["advice"]
