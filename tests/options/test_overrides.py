import tomllib

import pytest

from intertask.errors import RecipeError
from intertask.options.overrides import changed
from intertask.recipe import Recipe
from tests import shop


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("train.epochs=5", {"train": {"epochs": 5, "rate": 0.1}}),
        ("train.rate = 1e-3", {"train": {"epochs": 2, "rate": 1e-3}}),
        ("train.monitor=next/ndcg@10", {"train": {"epochs": 2, "rate": 0.1, "monitor": "next/ndcg@10"}}),
        ("encoder.kind=gru", {"encoder": {"kind": "gru"}}),
        ("encoder.width=3", {"encoder": {"kind": "rnn", "width": 3}}),
        ('tasks."a.b".weight=2', {"tasks": {"a.b": {"weight": 2}, "c": 1}}),
        ("tasks.'x=y'.kind='z=1'", {"tasks": {"a.b": {}, "c": 1, "x=y": {"kind": "z=1"}}}),
        ("history=['kept', 'masked']", {"history": ["kept", "masked"]}),
        ("new={kind = 'x', deep = {a = true}}", {"new": {"kind": "x", "deep": {"a": True}}}),
        ("path=C:\\logs\\x.csv", {"path": "C:\\logs\\x.csv"}),
        ("path=2024-01-01", {"path": "2024-01-01"}),
        ("path=1\n[train]", {"path": "1\n[train]"}),
        ("path=größe = 3", {"path": "größe = 3"}),
        ("path='5'", {"path": "5"}),
    ],
)
def test_a_change_sets_one_value(change: str, expected: dict[str, object]) -> None:
    table = tomllib.loads('encoder = "rnn"\n[train]\nepochs = 2\nrate = 0.1\n[tasks]\nc = 1\n"a.b" = {}')
    before = repr(table)
    assert changed(table, [change]) == table | expected
    assert repr(table) == before


@pytest.mark.parametrize(
    "change",
    [
        "",
        "=",
        "epochs",
        "epochs=",
        "=5",
        "a b=1",
        "a..b=1",
        ".a=1",
        "a.=1",
        '"a=1',
        "a=[1",
        "a={b",
        "a='x",
        "a\nb=1",
        "a=" + "[" * 5000,
        "tasks.c.d=1",
        "[a]=1",
    ],
)
def test_a_change_that_is_none_names_set(change: str) -> None:
    with pytest.raises(RecipeError) as caught:
        changed({"tasks": {"c": 1}}, [change])
    assert str(caught.value).startswith("--set ") and len(str(caught.value)) < 400


def test_later_changes_win(tmp_path) -> None:
    file = shop.write_files(tmp_path)
    recipe = Recipe.read(file, ["train.epochs=7", "train.epochs=9", "encoder=rnn", "tasks.buys.weight=0.5"])
    assert recipe.train.epochs == 9 and recipe.encoder.kind == "rnn" and recipe.tasks["buys"].weight == 0.5
    assert recipe == Recipe.read(file).model_copy(
        update={"train": recipe.train, "encoder": recipe.encoder, "tasks": recipe.tasks}
    )
    (tmp_path / "recipe.json").write_text(Recipe.read(file).to_json())
    assert Recipe.read(tmp_path / "recipe.json", ["width=16"]).width == 16


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "train.epochs=0",
            "--set train.epochs=0 [train] epochs: expected greater than or equal to 1, found 0",
        ),
        ("train.epochz=1", "--set train.epochz=1 [train] epochz: expected one of"),
        ("encoder.kind=grru", "--set encoder.kind=grru [encoder] kind: expected one of"),
        ("exchange=['next']", "--set exchange=['next'] exchange: expected"),
        ("width=wide", "--set width=wide width: expected a valid integer"),
    ],
)
def test_a_value_out_of_range_names_set(change: str, line: str, tmp_path) -> None:
    file = shop.write_files(tmp_path)
    with pytest.raises(RecipeError) as caught:
        Recipe.read(file, [change])
    assert str(caught.value).startswith(line)


def test_a_mistake_in_the_file_is_not_blamed_on_a_change(tmp_path) -> None:
    file = shop.write_files(tmp_path, shop.TOML.replace("width = 8", "width = 0"))
    with pytest.raises(RecipeError, match=r"recipe\.toml width"):
        Recipe.read(file, ["train.epochs=3"])


@pytest.mark.parametrize("change", ["epochs=" + "9" * 5000, ".".join("a" * 20_000) + "=1", "a=" + "[" * 5000])
def test_a_change_that_is_too_much_is_refused_at_once(change: str) -> None:
    with pytest.raises(RecipeError, match="--set") as caught:
        changed({}, [change])
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("change", ["train.epochs='5'", "train.epochs=true", "tasks.next.weight='2'"])
def test_an_error_names_its_place_once(change: str, tmp_path) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.read(shop.write_files(tmp_path), [change])
    assert str(caught.value).count("--set") == 1
