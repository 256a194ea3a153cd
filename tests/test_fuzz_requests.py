"""Odd requests by the thousand: each is answered rightly, or refused in one line.

INTERTASK_FUZZ=2500 pytest -s tests/test_fuzz_requests.py
"""

import enum
import inspect
import itertools
import math
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from intertask import Catalogue, EventLog, Recommender
from intertask.errors import RequestError
from tests import shop
from tests.fuzzing import fuzz

NOON = datetime(2024, 5, 1, 12)


class Colour(enum.StrEnum):
    RED = "№1"


class Number(enum.IntEnum):
    ONE = 1


@dataclass(frozen=True)
class World:
    """A model and what can be asked of it.

    Args:
        model: A trained one.
        users: Its users.
        items: Items that can be answered.
        untrained: Items of held-out events alone.
        behaviours: Of events.
        tasks: That rank items.
        response: A task that judges them.
    """

    model: Recommender
    users: list
    items: list
    untrained: list
    behaviours: list
    tasks: list
    response: str


@cache
def worlds() -> list[World]:
    """Text ids with times, and integers without them."""
    words = World(
        shop.recommender(),
        [shop.user_id(n) for n in range(shop.NUM_USERS)],
        [shop.item_id(n) for n in range(shop.NUM_ITEMS)],
        [],
        list(shop.BEHAVIOURS),
        ["next", "buys"],
        "liked",
    )
    last = pl.int_range(pl.len()).over("user") == pl.len().over("user") - 1
    frame = shop.events().select(
        user=pl.col("visitor").str.slice(1).cast(pl.Int64),
        item=pl.col("sku").str.slice(1).cast(pl.Int64) * 10**12,
        behaviour="action",
        liked="liked",
    )
    new = pl.when(last & (pl.col("user") < 3)).then(pl.col("user") + 1).otherwise("item")
    recipe = shop.recipe(train={"epochs": 1, "workers": 0})
    things = Catalogue.read(frame.select("item").unique().with_columns(title=pl.lit("thing")), text=["title"])
    log = EventLog.read(frame.with_columns(item=new), labels=["liked"])
    with pytest.warns(UserWarning, match="items have no training event"):
        model = Recommender(recipe).fit(log, things)
    numbers = World(
        model,
        list(range(shop.NUM_USERS)),
        [n * 10**12 for n in range(shop.NUM_ITEMS)],
        [1, 2, 3],
        list(shop.BEHAVIOURS),
        ["next", "buys"],
        "liked",
    )
    return [words, numbers]


def pick(random, values):
    return values[int(random.integers(len(values)))]


def some(random, values, most=6):
    return [pick(random, values) for _ in range(random.integers(most))]


def event(random, world):
    """An item, perhaps with a behaviour and a time."""
    item, kind = pick(random, world.items), pick(random, world.behaviours)
    when = pick(random, [None, NOON - timedelta(hours=int(random.integers(100))), NOON.replace(tzinfo=UTC)])
    return pick(random, [item, item, (item, kind), (item, kind, when)])


def plain(random, world):
    """A request that can be answered, in lists and words."""
    request = {}
    if random.random() < 0.5:
        request["users"] = some(random, world.users)
    else:
        request["histories"] = [[event(random, world) for _ in range(random.integers(5))] for _ in range(3)]
    if random.random() < 0.7:
        request["k"] = int(random.integers(1, shop.NUM_ITEMS + 1))
    if random.random() < 0.4:
        request["allow"] = some(random, [*world.items, *world.untrained], 12)
    if random.random() < 0.4:
        request["deny"] = some(random, [*world.items, *world.untrained], 5)
    if random.random() < 0.5:
        request["exclude_seen"] = bool(random.integers(2))
    if random.random() < 0.3:
        request["at"] = pick(random, [NOON, NOON.replace(tzinfo=timezone(timedelta(hours=3)))])
    aim = random.integers(4)
    if aim == 0:
        request["task"] = pick(random, world.tasks)
    if aim == 1:
        request["behaviour"] = "buy"
    if aim == 2:
        names = [*world.tasks, world.response]
        weights = {name: float(random.normal()) for name in names if random.random() < 0.7}
        request["objective"] = weights | {pick(random, names): float(random.uniform(0.1, 2))}
    return request


def answer(world, request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown items; the tests of the door count them
        return world.model.recommend(**request)


def spelled(random, name, value):
    """The same argument in another container or type."""
    if name in ("users", "allow", "deny"):
        return pick(random, ways_of_ids(name, value))(value)
    if name == "histories":
        return pick(random, ways_of_histories(value))(value)
    ways = {
        "k": [np.int64, np.int32, np.uint8],
        "exclude_seen": [np.bool_],
        "at": [pd.Timestamp],
        "objective": [
            lambda weights: {np.str_(task): np.float64(weight) for task, weight in weights.items()},
            lambda weights: {task: Fraction(weight) for task, weight in weights.items()},
        ],
    }
    return pick(random, ways.get(name, [np.str_]))(value)


def ways_of_ids(name, ids):
    ways = [list, tuple, iter, pl.Series, lambda ids: (one for one in ids), lambda ids: np.array(ids, object)]
    if ids:
        ways += [np.array, pd.Series, pd.Index, pa.array, lambda ids: pa.chunked_array([pa.array(ids)])]
    if ids and isinstance(ids[0], str):
        ways += [
            lambda ids: pl.Series(ids, dtype=pl.Categorical),
            lambda ids: pd.Series(ids, dtype="category"),
        ]
    if ids and isinstance(ids[0], int):
        ways += [
            lambda ids: [str(one) for one in ids],
            lambda ids: [float(one) for one in ids],
            lambda ids: np.array(ids, np.float64),
            lambda ids: pl.Series(ids, dtype=pl.UInt64),
            lambda ids: pa.array(ids, pa.uint64()),
            lambda ids: pd.Series(ids, dtype="Int64"),
            lambda ids: [*map(str, ids[:1]), *ids[1:]],
        ]
    return ways if name == "users" else [*ways, set, frozenset]


def ways_of_histories(histories):
    ways = [
        iter,
        tuple,
        lambda all_: [iter(one) for one in all_],
        lambda all_: [tuple(one) for one in all_],
        lambda all_: [[list(e) if isinstance(e, tuple) else e for e in one] for one in all_],
        lambda all_: (one for one in all_),
    ]
    if all(histories) and not any(isinstance(e, tuple) for one in histories for e in one):
        ways += [
            lambda all_: [np.array(one) for one in all_],
            lambda all_: [pl.Series(one) for one in all_],
            lambda all_: [pd.Series(one) for one in all_],
            pl.Series,
            pd.Series,
            pa.array,
        ]
    return ways


def check(world, request, frame):
    """What holds for every answer."""
    model = world.model
    owner = "user" if request.get("users") is not None else "history"
    assert frame.columns == [owner, "rank", "item", "score"]
    k, exclude = request.get("k", 10), request.get("exclude_seen")
    exclude = model.recipe.evaluation.history[0] == "masked" if exclude is None else exclude
    allowed = set(world.items)
    if request.get("allow") is not None:
        allowed &= set(request["allow"])
    allowed -= set(request.get("deny") or [])
    if owner == "user":
        asked, seen = request["users"], [set(model.history(user)["item"]) for user in request["users"]]
    else:
        asked = list(range(len(request["histories"])))
        seen = [{e[0] if isinstance(e, tuple) else e for e in one} for one in request["histories"]]
    rows, start = frame.rows(), 0
    for name, own in zip(asked, seen, strict=True):
        left = allowed - own if exclude else allowed
        stop = start + min(k, len(left))
        part = rows[start:stop]
        assert [row[0] for row in part] == [name] * len(part)
        assert [row[1] for row in part] == list(range(1, stop - start + 1))
        items = [row[2] for row in part]
        assert len(set(items)) == len(items) and set(items) <= left
        scores = [row[3] for row in part]
        assert all(map(math.isfinite, scores)) and scores == sorted(scores, reverse=True)
        start = stop
    assert start == len(rows)


def same_in_any_spelling(random):
    world = pick(random, worlds())
    request = plain(random, world)
    frame = answer(world, request)
    check(world, request, frame)
    assert frame.equals(
        answer(world, {name: spelled(random, name, value) for name, value in request.items()})
    )


FLAT = [None, True, False, 0, 1, -1, 3, 10**30, 10**5000, 1.0, 1.5, 1e38, -0.0, math.nan, math.inf, 2.0**60]
WORDS = ["", "№1", "a" * 10**5, "\0", "\ud800", "\x1b[2J", "no", "buy", "next", "1", "1,2", "liked"]
BYTES = [b"17", bytearray(b"1"), memoryview(b"1"), [b"1"], np.array([b"1"]), pl.Series([b"1"])]
EMPTY = [(), [], {}, set(), [[]], [[[]]], [None], [""], np.array([]), pl.Series([None]), pa.array([None])]
MIXES = [{"next": 1}, {"next": 1e38}, {"next": 1e-40}, {"next": math.nan}, {"next": -1}, {"next": "1"}]
MIXES += [{"liked": 1}, {"liked": -1}, {1: 1}, {"next": 10**400}, {"next": True}, {"next": Decimal(1)}]
MIXES += [{"nxt": 1}, {"next": None}, {"ü1": 1}, [("next", 1)], {"next": 1, "liked": -1e6}]
TIMES = [date(2024, 1, 1), datetime.min, datetime.max, datetime(1, 1, 1, tzinfo=UTC), timedelta(1), pd.NaT]
TIMES += [datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), np.datetime64("2024")]
TIMES += [
    np.timedelta64(1, "s"),
    np.array(["2024"], dtype="M8[s]"),
    pl.Series([NOON]),
    [("№1", "buy", "noon")],
]
NUMBERS = [1j, Decimal(1), Fraction(1), Number.ONE, Colour.RED, np.float64(1), np.bool_(True), pd.NA]
ARRAYS = [
    np.array(3),
    np.array([[1]]),
    np.array([True]),
    pd.Series([pd.NA]),
    pl.Series([[1]]),
    pl.Series([1.5]),
]
ARRAYS += [pl.Series([True]), pa.array([None, 1]), pa.scalar(1), pl.col("a"), pl.lit(1), [math.nan], [True]]
FRAMES = [make({"a": [1]}) for make in (pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table)]
THINGS = [object(), len, int, Path("a"), ..., range(3), range(10**12), slice(3), {"№1"}, [["№1", "№2"]]]
ODD = [*FLAT, *WORDS, *BYTES, *EMPTY, *MIXES, *TIMES, *NUMBERS, *ARRAYS, *FRAMES, *THINGS, [{"item": "№1"}]]
UNENDING = [itertools.count, lambda: itertools.repeat("№1"), lambda: itertools.repeat([])]


def odd(random):
    return pick(random, UNENDING)() if random.random() < 0.01 else pick(random, ODD)


def is_id(value):
    """An oracle of its own: what a log could have as an id."""
    if isinstance(value, bool | np.bool_ | enum.Enum | np.timedelta64):
        return False
    return isinstance(value, str | int | np.integer) or (
        isinstance(value, float) and value.is_integer() and abs(value) <= 2**53
    )


def normal(values):
    """Ids as the frames have them; None where a value is no id."""
    if isinstance(values, pl.Series | np.ndarray):
        values = values.tolist() if isinstance(values, np.ndarray) else values.to_list()
    if not isinstance(values, list | tuple | range | pd.Series | set) or len(values) > 10**6:
        return None
    values = list(values)
    if not all(map(is_id, values)):
        return None
    return [int(value) if isinstance(value, float) else value for value in values]


def odd_argument(random):
    """One argument of a good request is replaced by something strange."""
    world = pick(random, worlds())
    request = plain(random, world)
    names = [
        "users",
        "histories",
        "k",
        "allow",
        "deny",
        "exclude_seen",
        "at",
        "objective",
        "task",
        "behaviour",
    ]
    name, value = pick(random, names), odd(random)
    if name in ("users", "allow", "deny") and random.random() < 0.5:  # one strange id among good ones
        value = [*some(random, world.users if name == "users" else world.items), value]
    request = {other: given for other, given in request.items() if other != "users" or name != "histories"}
    if name == "users":
        request.pop("histories", None)
    if name in ("objective", "task", "behaviour"):
        request = {other: given for other, given in request.items() if other not in names[-3:]}
    request[name] = value
    frame = answer(world, request)
    if name in ("users", "allow", "deny") and value is not None:
        request[name] = normal(value)
        assert request[name] is not None, f"{name}={value!r} was answered"
        integers = isinstance(world.users[0], int)
        request[name] = [int(one) if integers and str(one).isdigit() else one for one in request[name]]
    if name == "k":
        assert type(value) is int and 1 <= value <= len(world.model.items)
    if name == "exclude_seen":
        assert value is None or isinstance(value, bool | np.bool_)
    if name == "at":
        assert value is None or isinstance(value, datetime)
    if name == "histories":
        return  # `strange_events` looks at these one by one
    check(world, request, frame)


def odd_events(random):
    """One event of a good history is replaced, or its item, behaviour or time."""
    world = pick(random, worlds())
    request = {"histories": [[event(random, world) for _ in range(3)] for _ in range(2)]}
    value, place = odd(random), int(random.integers(4))
    good = (world.items[0], world.behaviours[0], NOON)
    if place == 0:
        request["histories"][1] = value
    else:
        request["histories"][1][1] = value if place == 3 else (*good[: place - 1], value, *good[place:])
    frame = answer(world, request)
    if place == 2:
        assert value in world.behaviours
    request["histories"] = [known_items(world, history) for history in request["histories"]]
    check(world, request, frame)


def known_items(world, history):
    """The items of a history that was answered, as the world spells them."""
    assert not isinstance(history, set | dict | str | bytes), f"a history {history!r} was answered"
    listed = history.tolist() if isinstance(history, np.ndarray) else list(history)
    ids = [next(iter(event)) if isinstance(event, list | tuple | pl.Series) else event for event in listed]
    assert all(map(is_id, ids)), f"a history {history!r} was answered"
    spelling = {str(item): item for item in world.items}
    return [spelling[str(one)] for one in ids if str(one) in spelling]


def odd_prediction(random):
    world = pick(random, worlds())
    request = {
        "users": some(random, world.users),
        "items": some(random, world.items),
        "task": world.response,
        "at": pick(random, [None, NOON]),
    }
    expected = world.model.predict(**request)
    assert expected.height == len(request["users"]) * len(request["items"])
    assert expected[world.response].is_between(0, 1).all()
    again = {
        name: spelled(random, name, request[name]) for name in ("users", "at") if request[name] is not None
    }
    assert world.model.predict(**request | again).equals(expected)
    name, value = pick(random, ["users", "items", "task", "at"]), odd(random)
    found = world.model.predict(**request | {name: value})
    if name in ("users", "items"):
        assert normal(value) is not None and not isinstance(value, set), f"{name}={value!r} was answered"
    if name == "at":
        assert value is None or isinstance(value, datetime)
    assert found[world.response].is_between(0, 1).all()


def odd_history(random):
    world = pick(random, worlds())
    value = odd(random)
    found = world.model.history(value)
    assert is_id(value) and found.height and set(found["item"]) <= {*world.items, *world.untrained}


LOG = {"user": "visitor", "item": "sku", "time": "ts", "behaviour": "action", "labels": ["liked"]}
THINGS_OF = {"item": "sku", "text": ["title"], "tags": ["genres"]}
LISTS = {"labels", "keep", "text", "tags", "categories", "numbers", "missing"}
LONG = ["a" * 300, "a" * 5000, "b/" * 3000]


def odd_option(random):
    """One option of reading a log or a catalogue."""
    read, source, good = pick(
        random, [(EventLog.read, shop.events(), LOG), (Catalogue.read, shop.items(), THINGS_OF)]
    )
    name = pick(random, [name for name in inspect.signature(read).parameters if name != "source"])
    value = pick(random, LONG) if random.random() < 0.1 else odd(random)
    read(source, **good | {name: value})
    if name in {"strict", "sequences"}:
        assert isinstance(value, bool | np.bool_) or (value is None and name == "sequences")
    elif name not in LISTS:
        assert value is None or isinstance(value, str), f"{name}={value!r} was taken"
    else:
        listed = list(value) if isinstance(value, list | tuple | dict | np.ndarray | pl.Series) else None
        assert listed is not None and all(isinstance(one, str) for one in listed), (
            f"{name}={value!r} was taken"
        )


def odd_call(random):
    """What is given to the other public calls."""
    value = pick(random, LONG) if random.random() < 0.2 else odd(random)
    untrained, model = Recommender(shop.recipe()), shop.recommender()
    if random.random() < 0.3:
        model.save("kept", histories=value)
        assert isinstance(value, bool | np.bool_)
        return
    calls = [EventLog.read, Catalogue.read, Recommender.from_recipe, Recommender.load, untrained.fit]
    if value is not None:
        calls += [lambda catalogue: untrained.fit(shop.corpus(), catalogue), Recommender]
    if value is not None and not isinstance(value, str | Path):
        calls += [model.save, lambda run: untrained.fit(shop.corpus(), run=run)]
    pick(random, calls)(value)
    raise AssertionError(f"{value!r} was taken")


@pytest.mark.parametrize(("one", "inputs"), [(odd_option, 300), (odd_call, 300)])
def test_odd_options_and_calls_are_refused_in_one_line(one, inputs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fuzz(one, inputs=inputs)
    assert {place.name for place in tmp_path.iterdir()} <= {"kept"}


@pytest.mark.parametrize(
    ("one", "inputs"),
    [
        (same_in_any_spelling, 300),
        (odd_argument, 500),
        (odd_events, 400),
        (odd_prediction, 150),
        (odd_history, 100),
    ],
)
def test_odd_requests_are_answered_rightly_or_refused_in_one_line(one, inputs):
    worlds()
    fuzz(one, inputs=inputs, allowed=RequestError)
