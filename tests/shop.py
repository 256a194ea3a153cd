"""A tiny shop with a log, a catalogue and a recipe that trains within a second."""

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from intertask import Catalogue, EventLog, Recipe, Recommender
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare

NUM_USERS, NUM_ITEMS = 30, 15
BEHAVIOURS = ("buy", "cart", "view")
START = 1_700_000_000

TOML = """\
name = "shop"
width = 8
max_length = 8

[data.events]
path = "events.csv"
user = "visitor"
item = "sku"
time = "ts"
behaviour = "action"
labels = ["liked"]

[data.catalogue]
path = "items.csv"
item = "sku"
text = ["title"]
tags = ["genres"]

[encoder]
kind = "gru"

[tasks.next]
kind = "next_item"

[tasks.buys]
kind = "next_item"
behaviour = "buy"

[tasks.liked]
kind = "response"
label = "liked"

[train]
epochs = 2
workers = 0
refit = false

[evaluation]
k = [3, 5]
history = ["masked", "kept"]
resamples = 100
baselines = {popularity = {kind = "popularity"}, transition = {kind = "transition"}}
"""

PEOPLE_TOML = """\
[data.people]
path = "people.csv"
user = "who"

[inputs.person]
kind = "table"
"""


def user_id(number: int) -> str:
    return f"ü{number}"


def item_id(number: int) -> str:
    return f"№{number}"


def events(seed: int = 0) -> pl.DataFrame:
    """Users who walk round a ring of items, now and then with a leap or a step back."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(NUM_USERS):
        item, now = int(random.integers(NUM_ITEMS)), START + int(random.integers(1_000_000))
        for _ in range(int(random.integers(6, 12))):
            liked = None if random.random() < 0.2 else float(item % 2)
            rows.append((user_id(user), item_id(item), now, BEHAVIOURS[random.integers(3)], liked))
            item = (item + int(random.choice([1, 1, 1, -1, 4]))) % NUM_ITEMS
            now += int(random.integers(1, 5_000))
    columns = ["visitor", "sku", "ts", "action", "liked"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def items() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "sku": [item_id(number) for number in range(NUM_ITEMS)],
            "title": [f"Thing {number}" for number in range(NUM_ITEMS)],
            "genres": ["odd|all" if number % 2 else "even|all" for number in range(NUM_ITEMS)],
        }
    )


def log(frame: pl.DataFrame | None = None) -> EventLog:
    return EventLog.read(
        events() if frame is None else frame,
        user="visitor",
        item="sku",
        time="ts",
        behaviour="action",
        labels=["liked"],
    )


def catalogue() -> Catalogue:
    return Catalogue.read(items(), item="sku", text=["title"], tags=["genres"])


def recipe(**changes: object) -> Recipe:
    base: dict[str, object] = {
        "name": "shop",
        "width": 8,
        "max_length": 8,
        "encoder": {"kind": "gru"},
        "tasks": {
            "next": {"kind": "next_item"},
            "buys": {"kind": "next_item", "behaviour": "buy"},
            "liked": {"kind": "response", "label": "liked"},
        },
        "train": {"epochs": 2, "workers": 0},
        "evaluation": {
            "k": (3, 5),
            "history": ("masked", "kept"),
            "resamples": 100,
            "baselines": {"popularity": "popularity", "transition": "transition"},
        },
    }
    return Recipe.model_validate(base | changes)


@cache
def corpus() -> Corpus:
    return prepare(log())


@cache
def recommender() -> Recommender:
    """A trained one, made once; nobody may change it."""
    return Recommender(recipe()).fit(corpus(), catalogue())


def write_people(folder: Path, count: int = NUM_USERS) -> Path:
    """The shop with what is known of its first users, which the model reads; the path of its recipe."""
    random = np.random.default_rng(0)
    known = {
        "who": [user_id(number) for number in range(count)],
        "age": random.integers(18, 80, count),
        "plan": random.choice(["free", "paid"], count),
    }
    pl.DataFrame(known).write_csv(folder / "people.csv")
    return write_files(folder, TOML.replace("[encoder]", f"{PEOPLE_TOML}\n[encoder]"))


def write_files(folder: Path, toml: str = TOML, frame: pl.DataFrame | None = None) -> Path:
    """The shop as files; the path of its recipe."""
    (events() if frame is None else frame).write_csv(folder / "events.csv")
    items().write_csv(folder / "items.csv")
    file = folder / "recipe.toml"
    file.write_text(toml, encoding="utf-8")
    return file
