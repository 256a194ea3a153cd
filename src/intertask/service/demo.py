"""A small shop to try a service on: made up, trained within a minute, the same for everybody.

Its people have a taste for some kinds of things, which depends on their age and on how they
live; they look at what belongs together, and buy a few of them.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.errors import IntertaskError
from intertask.options.seeds import generator
from intertask.storage.files import written_aside

KINDS = {
    "shoes": ("running shoe", "hiking boot", "sandal", "sneaker", "slipper"),
    "bags": ("backpack", "tote bag", "suitcase", "purse", "belt bag"),
    "kitchen": ("kettle", "frying pan", "chef's knife", "coffee mug", "toaster"),
    "garden": ("watering can", "spade", "flower pot", "hammock", "lantern"),
    "books": ("novel", "cookbook", "atlas", "comic", "travel guide"),
    "toys": ("puzzle", "kite", "teddy bear", "toy train", "board game"),
}
COLOURS = ("red", "blue", "green", "black", "white", "yellow", "grey", "orange")
BRANDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm")
NUM_USERS, MOST_EVENTS = 600, 40
# How much likelier each kind is for somebody of a way of living, and how much for each ten years above 40.
HOMES = {
    "flat": (2, 2, 1, 0, 2, 1),
    "house with garden": (1, 1, 2, 5, 1, 1),
    "family home": (1, 1, 2, 1, 1, 5),
}
YEARS = (-0.4, -0.2, 0.2, 0.4, 0.2, -0.3)
START, DAY = 1_767_225_600, 86_400  # 2026-01-01
STAY, NEAR = 0.75, 0.6  # in a kind of things; at what belongs to the last one

RECIPE = """\
# A made-up shop: `intertask serve --demo` wrote it.
name = "demo"
width = 32
max_length = 30

[data.events]
path = "events.csv"
user = "user"
item = "item"
time = "time"
behaviour = "behaviour"

[data.catalogue]
path = "items.csv"
item = "item"
text = ["title"]
categories = ["kind", "brand"]
numbers = ["price"]

[data.people]
path = "people.csv"
user = "user"
numbers = ["age"]
categories = ["home"]

[inputs.person]
kind = "table"

[encoder]
kind = "gru"

[tasks.next]
kind = "next_item"

[tasks.buy]
kind = "next_item"
behaviour = "buy"

[train]
epochs = 4
refit = false

[evaluation]
resamples = 100
baselines = {popularity = {kind = "popularity"}}
"""


def demo(folder: Path, say: Callable[[str], None]) -> Path:
    """The run of the shop in a folder, made where it is missing.

    Raises:
        IntertaskError: Something else stands there, or it cannot be trained.
    """
    run, recipe = folder / "run", folder / "recipe.toml"
    if (run / "model" / "manifest.json").exists():
        return run
    if folder.exists() and any(folder.iterdir()) and not recipe.exists():
        raise IntertaskError(
            str(folder),
            "a new folder for the shop",
            "a folder of something else",
            "name another: --data FOLDER",
        )
    folder.mkdir(parents=True, exist_ok=True)
    say(f"making a small shop in {folder}, and training on it for some seconds")
    items, people = _items(), _people()
    _write(folder / "items.csv", items)
    _write(folder / "people.csv", people)
    _write(folder / "events.csv", _events(items, people))
    with written_aside(recipe) as aside:
        aside.write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "intertask", "train", str(recipe), "--run", str(run)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise IntertaskError("demo", "a training that ends well", done.stderr.strip()[-300:] or "another end")
    return run


def _write(file: Path, frame: pl.DataFrame) -> None:
    with written_aside(file) as aside:
        frame.write_csv(aside)


def _items() -> pl.DataFrame:
    random = generator(0, "demo items")
    rows: list[tuple[str, str, str, str, float]] = []
    for kind, names in KINDS.items():
        for name in names:
            for colour in COLOURS:
                brand = BRANDS[int(random.integers(len(BRANDS)))]
                price = round(float(random.lognormal(3.2, 0.5)), 2)
                rows.append((f"sku/{len(rows):03}", f"{colour} {name}".capitalize(), kind, brand, price))
    return pl.DataFrame(rows, schema=["item", "title", "kind", "brand", "price"], orient="row")


def _people() -> pl.DataFrame:
    random = generator(0, "demo people")
    homes = list(HOMES)
    rows = [
        (f"user{user:03}", int(random.integers(18, 80)), homes[int(random.integers(len(homes)))])
        for user in range(NUM_USERS)
    ]
    return pl.DataFrame(rows, schema=["user", "age", "home"], orient="row")


def _tastes(age: int, home: str) -> NDArray[np.float64]:
    """How likely each kind is for somebody."""
    found = np.array(HOMES[home]) * np.exp((age - 40) / 10 * np.array(YEARS))
    shares: NDArray[np.float64] = found / found.sum()
    return shares


def _events(items: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """People walk from thing to thing: mostly within a kind, often to what stands beside the last one."""
    random = generator(0, "demo events")
    kinds = items["kind"].to_list()
    of_kind = {kind: np.flatnonzero([one == kind for one in kinds]) for kind in KINDS}
    names = list(KINDS)
    rows: list[tuple[str, str, int, str]] = []
    for user, age, home in people.iter_rows():
        tastes = random.choice(len(names), 2, replace=False, p=_tastes(age, home))
        now = START + int(random.integers(120 * DAY))
        item = int(random.choice(of_kind[names[tastes[0]]]))
        for _ in range(int(random.integers(5, MOST_EVENTS))):
            rows.append((user, items["item"][item], now, "view"))
            if random.random() < 0.2:
                rows.append((user, items["item"][item], now + 60, "cart"))
                if random.random() < 0.6:
                    rows.append((user, items["item"][item], now + 120, "buy"))
            now += int(random.exponential(0.4 * DAY)) + 180
            if random.random() > STAY:
                kind = names[tastes[int(random.integers(2))]]
                item = int(random.choice(of_kind[kind]))
            elif random.random() < NEAR:
                item = (item + int(random.choice([1, len(COLOURS)]))) % items.height
            else:
                item = int(random.choice(of_kind[kinds[item]]))
    frame = pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row")
    return frame.sort("time", maintain_order=True)
