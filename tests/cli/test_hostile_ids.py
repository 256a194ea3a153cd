"""Ids, titles, behaviours and names that would give a terminal orders, through every verb."""

import json
import re
import warnings
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from tests import shop

HOSTILE = (
    "\x1b[2J\x1b]8;;http://x\x07\x9b31m\x08\r\n\u202e\u2066\u200b\ufeff[red]x[/red][link=http://x]$y_1$\\<b>&"
)
ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]")


def safe(text):
    assert not ORDERS.search(text), ORDERS.search(text)
    return text


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The shop with hostile words in each place where a log or a catalogue may have some."""
    monkeypatch.chdir(tmp_path)
    own = ("visitor", "sku", "action")
    bad = shop.events().with_columns(*(pl.col(name) + HOSTILE for name in own))
    refused = bad.head(1).with_columns(ts=pl.lit(None, pl.Int64))
    pl.concat([bad, refused]).rename({"liked": f"liked{HOSTILE}"}).write_parquet("events.parquet")
    shop.items().with_columns(pl.all() + HOSTILE).head(12).write_parquet("items.parquet")
    label = json.dumps(f"liked{HOSTILE}")
    text = shop.TOML.replace("events.csv", "events.parquet").replace("items.csv", "items.parquet")
    text = text.replace('"liked"', label).replace('"buy"', json.dumps(f"buy{HOSTILE}").replace("\x7f", ""))
    text = text.replace('name = "shop"', f"name = {json.dumps('shop' + HOSTILE)}")
    text = text.replace("{popularity = ", f"{{{json.dumps('pop' + HOSTILE)} = ")
    file = tmp_path / "reci\x1b[31mpe\u202e.toml"
    file.write_text(text, encoding="utf-8")
    return file.relative_to(tmp_path)


def test_no_order_reaches_terminal_page_or_plot(hostile, intertask):
    run = "ru\x1b[2Jn"
    user, item = shop.user_id(1) + HOSTILE, shop.item_id(3) + HOSTILE
    verbs = [
        ("data", hostile),
        ("train", hostile, "--run", run),
        ("evaluate", run),
        ("compare", run, run),
        ("recommend", run, "--user", user),
        ("recommend", run, "--sample", 2),
        ("list",),
        ("transfer", hostile, "--seeds", "1", "--folder", f"{run}-study"),
    ]
    for words in verbs:
        with warnings.catch_warnings():
            warnings.simplefilter("always")  # of a refused row, and of a catalogue that misses items
            done = intertask(*words)
        assert done.code == 0, done
        safe(done.out), safe(done.err)
        if words[0] not in ("train", "transfer"):
            done = intertask(*words, "--json")
            safe(done.out)
            found = json.loads(done.out)
            assert "--user" not in words or {row["user"] for row in found} == {user}
    pages = [Path(run, "report.html"), *Path(f"{run}-study").glob("*.html")]
    assert len(pages) == 2
    for page in pages:
        html = safe(page.read_text(encoding="utf-8"))
        assert "<b>&" not in html
        for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
            ElementTree.fromstring(drawing)
    assert (
        item in pl.read_parquet(Path(run, "model", "items.parquet"), glob=False)[:, 0].to_list()
    )  # data stay as they are


@pytest.mark.parametrize(
    "words",
    [
        ("train", f"{HOSTILE.replace('/', '')}.toml"),
        ("evaluate", "no\x1b[2J\u202ewhere"),
        ("list", "\x1b[2J"),
        ("recommend", "a", "b\x1b[2J\x07"),
        ("transfer", "recipe.toml", "--seeds", "1;\x9b2"),
    ],
)
def test_an_error_gives_no_orders(words, shop_files, intertask):
    done = intertask(*words)
    assert done.code == 2
    safe(done.out), safe(done.err)


def test_an_unknown_user_is_named_safely(trained, intertask):
    line = intertask.refused("recommend", trained, "--user", f"ü{HOSTILE}")
    safe(line)
    assert "\\x1b[2J" in line
