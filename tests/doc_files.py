"""Files that the code of the documentation expects, by the names in its comments `files`."""

import shutil
import tempfile
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl

from intertask.cli import app

NUM_CUSTOMERS, NUM_PRODUCTS = 60, 25
ACTIONS = ("view", "cart", "buy")

RECIPE = """\
width = 8
max_length = 10
encoder = "gru"

[data.events]
path = "orders.csv"
user = "customer"
item = "product"
time = "date"
behaviour = "action"
labels = ["stars"]

[data.catalogue]
path = "products.csv"
item = "product"
text = ["title"]
categories = ["group"]

[tasks.next]
kind = "next_item"

[tasks.buy]
kind = "next_item"
behaviour = "buy"

[tasks.liked]
kind = "response"
label = "stars"
at_least = 4

[train]
refit = false
epochs = 3

[evaluation]
history = ["kept"]
resamples = 100
baselines = { popularity = "popularity", transition = "transition" }
"""


def orders() -> pl.DataFrame:
    """What the customers of a small shop did: they walk round a ring of products."""
    random = np.random.default_rng(7)
    rows = []
    for customer in range(NUM_CUSTOMERS):
        product, day = int(random.integers(NUM_PRODUCTS)), int(random.integers(200))
        for _ in range(int(random.integers(6, 14))):
            stars = None if random.random() < 0.3 else int(random.integers(1, 6))
            time = pl.datetime(2026, 1, 1) + pl.duration(days=day, minutes=int(random.integers(1400)))
            date = pl.select(time).item().strftime("%Y-%m-%d %H:%M")
            rows.append(
                (f"c{customer}", f"p{product}", date, str(random.choice(ACTIONS, p=[0.6, 0.2, 0.2])), stars)
            )
            product = (product + int(random.choice([1, 1, 1, 2, 5]))) % NUM_PRODUCTS
            day += int(random.integers(1, 3))
    return pl.DataFrame(rows, schema=["customer", "product", "date", "action", "stars"], orient="row")


def products() -> pl.DataFrame:
    numbers = range(NUM_PRODUCTS)
    return pl.DataFrame(
        {
            "product": [f"p{number}" for number in numbers],
            "title": [f"Thing {number}" for number in numbers],
            "group": ["TOY" if number % 2 else "BAG" for number in numbers],
        }
    )


def customers() -> pl.DataFrame:
    numbers = range(NUM_CUSTOMERS)
    return pl.DataFrame(
        {
            "customer": [f"c{number}" for number in numbers],
            "age": [20 + number for number in numbers],
            "country": [("FR", "DE", "PT")[number % 3] for number in numbers],
        }
    )


def patients() -> pl.DataFrame:
    """Illness follows from age and sex, days of stay from illness."""
    random, count = np.random.default_rng(7), 240
    age, sex = random.integers(30, 80, count), random.choice(["f", "m"], count)
    pressure = random.normal(130, 15, count).round()
    ill = (age - 55) / 12 + (sex == "m") + random.normal(size=count) > 0.4
    return pl.DataFrame(
        {
            "hospital": random.choice(["north", "south", "west"], count),
            "age": age,
            "sex": sex,
            "pressure": np.where(random.random(count) < 0.05, "?", pressure.astype(int).astype(str)),
            "ill": np.where(ill, "yes", "no"),
            "days": 3.5 + 4 * ill + random.integers(0, 4, count),
        }
    )


def tickets() -> pl.DataFrame:
    """Questions of customers, of which one word says the topic."""
    random, count = np.random.default_rng(7), 160
    words = {"card": ["card", "chip", "pin"], "loan": ["loan", "rate"], "fees": ["fee", "charge"]}
    topics = random.choice(list(words), count)
    begins = ("what about my", "please help with the", "there is a problem with my")
    texts = [f"{random.choice(begins)} {random.choice(words[topic])}" for topic in topics]
    return pl.DataFrame({"text": texts, "topic": topics})


def prices() -> pl.DataFrame:
    """Two series, of which the second is the first with noise."""
    random, days = np.random.default_rng(7), np.arange(160)
    dates = [f"2026-{1 + day // 28:02}-{1 + day % 28:02}" for day in days]
    rows = [
        {"symbol": symbol, "date": date, "close": 50 + 5 * np.sin(day / 4) + random.normal() * noise}
        for symbol, noise in (("AAA", 0.2), ("BBB", 0.5))
        for day, date in zip(days, dates, strict=True)
    ]
    return pl.DataFrame(rows)


def prepare(names: list[str], folder: Path) -> None:
    """Puts files into a folder.

    Args:
        names: "shop" (the README's events.csv, items.csv and recipe.toml), "orders" (orders.csv,
            products.csv and customers.csv), "recipe" (with recipe.toml), "run" (with runs/recipe,
            trained and evaluated), "patients", "tickets", "prices" (a CSV of that name) or "scans"
            (scans.csv and pictures).
        folder: Where.
    """
    for name in names:
        shutil.copytree(
            MADE[name](),
            folder,
            dirs_exist_ok=True,
        )


@cache
def _shop() -> Path:
    folder = Path(tempfile.mkdtemp())
    shop = orders().with_columns(
        visitor=pl.col("customer").str.replace("c", "u"), sku=pl.col("product").str.replace("p", "sku-")
    )
    shop.select("visitor", "sku", ts="date", action="action").write_csv(folder / "events.csv")
    items = products().with_columns(sku=pl.col("product").str.replace("p", "sku-"))
    items.select("sku", "title", genres="group").write_csv(folder / "items.csv")
    recipe = RECIPE.replace("orders.csv", "events.csv").replace("products.csv", "items.csv")
    for old, new in (("customer", "visitor"), ('"product"', '"sku"'), ("date", "ts"), ("categories", "tags")):
        recipe = recipe.replace(old, new)
    recipe = recipe.replace('labels = ["stars"]\n', "").replace('["group"]', '["genres"]')
    liked = recipe.index("[tasks.liked]"), recipe.index("[train]")
    (folder / "recipe.toml").write_text(recipe[: liked[0]] + recipe[liked[1] :], encoding="utf-8")
    return folder


@cache
def _orders() -> Path:
    folder = Path(tempfile.mkdtemp())
    orders().write_csv(folder / "orders.csv")
    products().write_csv(folder / "products.csv")
    customers().write_csv(folder / "customers.csv")
    return folder


@cache
def _recipe() -> Path:
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(_orders(), folder, dirs_exist_ok=True)
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@cache
def _run() -> Path:
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(_recipe(), folder, dirs_exist_ok=True)
    place = folder / "runs" / "recipe"
    for words in (["train", folder / "recipe.toml", "--run", place], ["evaluate", place, "--samples", "2"]):
        with redirect_stdout(StringIO()):
            app([str(word) for word in words], standalone_mode=False)
    return folder


@cache
def _patients() -> Path:
    folder = Path(tempfile.mkdtemp())
    patients().write_csv(folder / "patients.csv")
    return folder


@cache
def _tickets() -> Path:
    folder = Path(tempfile.mkdtemp())
    tickets().write_csv(folder / "tickets.csv")
    return folder


@cache
def _prices() -> Path:
    folder = Path(tempfile.mkdtemp())
    prices().write_csv(folder / "prices.csv")
    return folder


@cache
def _scans() -> Path:
    """Pictures whose upper or lower half is bright."""
    from PIL import Image

    folder, random, rows = Path(tempfile.mkdtemp()), np.random.default_rng(7), []
    (folder / "scans").mkdir()
    for number in range(80):
        shade = random.integers(0, 100, (12, 12), dtype=np.uint8)
        half = number % 2
        shade[6 * half : 6 * half + 6] += 120
        Image.fromarray(shade).save(folder / "scans" / f"{number}.png")
        rows.append({"file": f"scans/{number}.png", "bright": ("above", "below")[half]})
    pl.DataFrame(rows).write_csv(folder / "scans.csv")
    return folder


MADE = {
    "tickets": _tickets,
    "prices": _prices,
    "scans": _scans,
    "orders": _orders,
    "recipe": _recipe,
    "run": _run,
    "shop": _shop,
    "patients": _patients,
}
