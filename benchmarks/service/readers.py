"""Whatever of the service reads bytes of strangers, as functions of bytes, with bytes to begin with.

Each returns whether it was answered; False says that it was refused in one line. Anything else is a fault.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from intertask.answering.around import Around, matching_around
from intertask.errors import IntertaskError, RequestError
from intertask.recipe import Recipe
from intertask.service import cursors, importing, settings
from intertask.service.jobs import Facts
from intertask.service.places import Place
from intertask.service.reading import of_query, parsed
from intertask.service.routes import ROUTES
from intertask.service.webhooks import checked_url
from intertask.service.zipped import unpack

LONGEST_WORDS = 2_000
SECRET = b"s" * 32
BODIES = {route.path: route.body for route in ROUTES if not route.in_query}
QUERIES = {f"{route.method} {route.path}": route.body for route in ROUTES if route.in_query}
AROUND = Around({"user": {"brand": "a", "age": 3, "likes": ("x",)}, "context": {"most": 2.5}}, 1.8e9)
ROWS = pl.DataFrame(
    {
        "item": ["a", "b", "c"],
        "price": [1.5, None, -3.0],
        "number": [1, 2, 2**40],
        "tags": [["x", "y"], [], ["x"]],
        "title": ["shoe", None, "hat"],
        "fresh": [True, False, None],
        "released": ["2026-11-01", "2026-11-01T10:00:00+02:00", "soon"],
    }
)
EVENTS = {
    "user": ["u", "ü", "u"],
    "item": ["a", "b", "a"],
    "time": ["2026-11-01T10:00:00Z", "2026-11-02 10:00:00", "2026-11-03T10:00:00+01:00"],
    "behaviour": ["buy", "view", "buy"],
    "value": [1.5, None, 3.0],
    "id": ["1", "2", None],
}
CONDITIONS = (
    "price < 50 and 'x' in tags or not fresh",
    "title in ['shoe', None] and number >= 3 and has(price)",
    "age_days(released) < 30 and user.brand == 'a' and 'x' in user.likes and price < context.most",
    '`title` != "hat\\u00e9" and 1 < price <= 2e3',
)
SETTINGS = """database = "postgresql://user:password@host/database"
host = "0.0.0.0"
port = 8080
workers = 2
log = "requests"
retrain_days = 7
private_webhooks = true
answers_days = 0
behaviours = ["buy", "view"]
"""
RECIPE = """width = 8
[data.events]
path = "x.csv"
user = "user"
item = "item"
[tasks.next]
kind = "next_item"
[train]
epochs = 1
learning_rate = 1e-3
[tune.space]
width = [8, 16]
"train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}
"""


@dataclass(frozen=True)
class Reader:
    """What reads bytes.

    Args:
        work: Reads them; raises `IntertaskError` for what it refuses.
        seeds: Bytes that are read well, and some that nearly are.
    """

    work: Callable[[bytes], object]
    seeds: Sequence[bytes]

    def __call__(self, content: bytes) -> bool:
        """Whether the bytes were answered."""
        try:
            self.work(content)
        except IntertaskError as error:
            words = str(error)
            assert "\n" not in words and len(words) < LONGEST_WORDS, words[:LONGEST_WORDS]
            return False
        return True


def _body(_folder: Path) -> Reader:
    """The body of each route: its first byte says of which."""
    kinds = list(BODIES.values())
    tables: dict[str, object] = {
        "/v1/events": {"events": [{"user": "u", "item": 1, "behaviour": "buy", "value": 1e3}]},
        "/v1/recommend": {"user": "u", "objective": {"next": 1.0}, "seen": {"days": 3}, "boost": []},
        "/v1/recommend/next": {"cursor": "x", "k": 3},
        "/v1/items": {"items": [{"item": "a", "properties": {"tags": ["x"], "price": 1e3, "new": None}}]},
        "/v1/predict": {"rows": [{"size": 1, "photo": "aGk="}], "at_least": 0.5},
        "/v1/tune": {"space": {"width": [8, 16], "dropout": {"low": 0.1, "high": 0.5}}, "minutes": 1.5},
        "/v1/webhooks": {"name": "x", "url": "https://shop.example:8443/hook?a=b"},
        "/v1/experiments": {"name": "x", "arms": [{"name": "a"}, {"name": "b"}], "goals": ["buy"]},
        "/v1/rules": {"name": "x", "filter": "price < 3", "since": "2026-11-01T10:00:00+01:00"},
        "/v1/experiments/size": {"goals": ["buy"], "people": 100},
    }
    places = list(BODIES)
    seeds = [bytes([places.index(path)]) + json.dumps(table).encode() for path, table in tables.items()]
    return Reader(lambda content: parsed(content[1:], kinds[_first(content) % len(kinds)]), [b"", *seeds])


def _query(_folder: Path) -> Reader:
    """The query of each route: its first byte says of which."""
    kinds, seeds = list(QUERIES.values()), [b"k=3&cursor=x", b"item=a%2Fb", b"name=x.csv&user=u", b"job=%ff"]

    def work(content: bytes) -> object:
        return of_query(content[1:], kinds[_first(content) % len(kinds)])

    return Reader(work, [bytes([place]) + seed for place in range(len(kinds)) for seed in seeds])


def _first(content: bytes) -> int:
    return content[0] if content else 0


def _cursor(_folder: Path) -> Reader:
    """Cursors of lists and of other pages."""
    place = Place(1, "similar", "a", 3, (1, 2), 2**60).written(SECRET)
    table: list[object] = [1, {"user": "u", "k": 3}, 1, 5, 2**60, [1, 2], None, None]

    def work(content: bytes) -> object:
        text = content.decode("utf-8", "surrogateescape")
        try:
            return cursors.read(text, 1, SECRET)
        except RequestError:
            return Place.read(text, 1, "similar", SECRET)

    return Reader(work, [place.encode(), cursors.sealed(table, SECRET).encode(), b"=", b"x" * 80])


def _condition(_folder: Path) -> Reader:
    """Filters, boosts and what a rule is for."""
    return Reader(
        lambda content: matching_around(ROWS, content.decode("utf-8", "replace"), AROUND),
        [words.encode() for words in CONDITIONS],
    )


def _address(_folder: Path) -> Reader:
    """Addresses of webhooks."""
    seeds = ("https://shop.example:8443/hook?a=b#c", "http://[::1]/", "https://user:word@1.2.3.4:0/")
    return Reader(
        lambda content: checked_url(content.decode("utf-8", "replace")), list(map(str.encode, seeds))
    )


def _settings(folder: Path) -> Reader:
    """`service.toml`."""
    return Reader(
        _of_file(folder / "service.toml", lambda file: settings.read(file, {})), [SETTINGS.encode()]
    )


def _recipe(folder: Path) -> Reader:
    """The recipe of a training."""
    return Reader(_of_file(folder / "recipe.toml", Recipe.read), [RECIPE.encode()])


def _of_file(file: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def work(content: bytes) -> object:
        file.write_bytes(content)
        return read(file)

    return work


def _import(ending: str, seed: Callable[[pl.DataFrame, io.BytesIO], object]) -> Callable[[Path], Reader]:
    """A file of events."""

    def reader(folder: Path) -> Reader:
        arguments: Facts = {"file": f"x.{ending}", "id": "id", "value": "value"}

        def read(file: Path) -> object:
            rows, _ = importing.fitting(importing.plain(importing.read(file, arguments), arguments))
            return importing.stored(rows, 0, "x")

        seeds = []
        for frame in (pl.DataFrame(EVENTS), pl.DataFrame(EVENTS).with_columns(time=pl.lit(1_793_000_000))):
            made = io.BytesIO()
            seed(frame, made)
            seeds.append(made.getvalue())
        return Reader(_of_file(folder / f"x.{ending}", read), seeds)

    return reader


def _zip(folder: Path) -> Reader:
    """The archive of a model's folder."""
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    seeds = []
    for kind in kinds:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", kind) as target:
            target.writestr("model/manifest.json", "{}" * 20)
            target.writestr("model/deep/weights.safetensors", bytes(range(64)))
        seeds.append(made.getvalue())

    def work(content: bytes) -> object:
        place = folder / "unpacked"
        shutil.rmtree(place, ignore_errors=True)
        archive = folder / "model.zip"
        archive.write_bytes(content)
        try:
            found = unpack(archive, place)
            assert found.resolve().is_relative_to(place.resolve())
        except IntertaskError:
            assert not place.exists()
            raise
        return found

    return Reader(work, seeds)


READERS: dict[str, Callable[[Path], Reader]] = {
    "body": _body,
    "query": _query,
    "cursor": _cursor,
    "condition": _condition,
    "address": _address,
    "settings": _settings,
    "recipe": _recipe,
    "csv": _import("csv", pl.DataFrame.write_csv),
    "jsonl": _import("jsonl", pl.DataFrame.write_ndjson),
    "parquet": _import("parquet", pl.DataFrame.write_parquet),
    "zip": _zip,
}
