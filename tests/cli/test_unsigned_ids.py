"""Ids from 2^63 on, as hashes are, go the whole way: they answer as the same log with small ids does."""

import json
from pathlib import Path

import polars as pl
import pytest

from intertask import Recommender
from tests import shop

FIRST, LAST = 2**63, 2**64 - 1
TOML = shop.TOML.replace("events.csv", "events.{ending}").replace("items.csv", "items.{ending}")


def numbers(names, first):
    """The shop's ids as numbers from one on; the last of them may be the largest that there is."""
    return [first + int(name[1:]) for name in names]


def files(folder, ending, user, item):
    """The shop with users and items from two numbers on."""
    folder.mkdir()
    events, items = shop.events(), shop.items()
    events = events.with_columns(
        pl.Series("visitor", numbers(events["visitor"], user), pl.UInt64),
        pl.Series("sku", numbers(events["sku"], item), pl.UInt64),
    )
    items = items.with_columns(pl.Series("sku", numbers(items["sku"], item), pl.UInt64))
    for name, frame in (("events", events), ("items", items)):
        getattr(frame, f"write_{ending}")(folder / f"{name}.{ending}")
    (folder / "recipe.toml").write_text(TOML.replace("{ending}", ending), encoding="utf-8")
    return folder / "recipe.toml"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ids_beyond_63_bits_are_trained_saved_loaded_and_recommended(
    ending, tmp_path, monkeypatch, intertask
):
    monkeypatch.chdir(tmp_path)
    user, item = FIRST, LAST - shop.NUM_ITEMS + 1
    small, large = files(tmp_path / "small", ending, 1, 1), files(tmp_path / "large", ending, user, item)
    for recipe in (small, large):
        assert intertask("train", recipe, "--run", recipe.parent / "run").code == 0
        assert intertask("evaluate", recipe.parent / "run").code == 0
    runs = [Recommender.load(recipe.parent / "run" / "model") for recipe in (small, large)]
    expected, found = runs[0].recommend([1, 5], k=4), runs[1].recommend([user, user + 4], k=4)
    assert found["item"].dtype == found["user"].dtype == pl.UInt64
    assert found["score"].to_list() == expected["score"].to_list()
    assert found["item"].to_list() == [item - 1 + one for one in expected["item"]]
    assert found["user"].to_list() == [user - 1 + one for one in expected["user"]]
    # By history, with an item that no signed number holds, and one that is left out.
    (best,) = runs[0].recommend(histories=[[1, 15]], k=1)["item"]
    assert runs[1].recommend(histories=[[item, LAST]], k=1)["item"].to_list() == [item - 1 + best]
    denied = runs[1].recommend(histories=[[item, LAST]], k=1, deny=[item - 1 + best])["item"].to_list()
    assert denied == [
        item - 1 + one for one in runs[0].recommend(histories=[[1, 15]], k=1, deny=[best])["item"]
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_terminal_takes_and_shows_them_with_their_titles(ending, tmp_path, monkeypatch, intertask):
    monkeypatch.chdir(tmp_path)
    item = LAST - shop.NUM_ITEMS + 1
    run = files(tmp_path / "large", ending, FIRST, item).parent / "run"
    assert intertask("train", run.parent / "recipe.toml", "--run", run).code == 0
    rows = json.loads(intertask("recommend", run, "--user", str(FIRST + 3), "-k", 3, "--json").out)
    assert [row["user"] for row in rows] == [FIRST + 3] * 3
    assert all(row["title"] == f"Thing {row['item'] - item}" for row in rows)
    shown = intertask("recommend", run, "--history", f"{LAST}=buy,{item}", "-k", 1, "--allow", LAST - 1)
    assert shown.code == 0 and str(LAST - 1) in shown.out, shown
    Path("users.txt").write_text(f"{FIRST + 1}\n")
    asked = json.loads(intertask("recommend", run, "--users-file", "users.txt", "-k", 1, "--json").out)
    assert [row["user"] for row in asked] == [FIRST + 1]
    for stranger in (str(2**64), "1"):
        assert stranger in intertask.refused("recommend", run, "--user", stranger)
