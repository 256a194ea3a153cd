"""What may be passed to a public call, and what may not."""

import enum
import itertools
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from intertask.errors import RequestError
from intertask.options import arguments


class Colour(enum.StrEnum):
    RED = "red"


class Mute:
    def __repr__(self):
        raise RuntimeError("no words")


HUGE = 10**5000


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        iter,
        lambda ids: (one for one in ids),
        lambda ids: dict.fromkeys(ids).keys(),
        np.array,
        pl.Series,
        pd.Series,
        pd.Index,
        pa.array,
        lambda ids: pa.chunked_array([pa.array(ids)]),
        lambda ids: pd.Series(ids, index=[9, 0, 5]),
        lambda ids: pd.Series(ids, dtype="category"),
        lambda ids: np.array(ids, dtype=object),
    ],
)
@pytest.mark.parametrize("ids", [["b", "ä", "a"], [7, -1, 2**62]])
def test_ids_come_in_whatever_holds_a_list(make, ids):
    found = arguments.ids(make(ids), "users")
    assert found.to_list() == ids
    assert found.dtype == (pl.String if isinstance(ids[0], str) else pl.Int64)


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([2**63, 1], [str(2**63), "1"]),
        ([7, "x"], ["7", "x"]),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), [str(2**64 - 1)]),
        (pl.Series([3], dtype=pl.UInt64), [3]),
        (np.array([2**64 - 1], dtype=np.uint64), [str(2**64 - 1)]),
        ([np.int8(3), np.uint64(4)], [3, 4]),
        ([np.str_("a")], ["a"]),
        ([17.0, np.float32(3)], [17, 3]),
        (pd.Series([17.0, 3.0]), [17, 3]),
        (pl.Series([17.0]), [17]),
        (pl.Series(["a"], dtype=pl.Enum(["a"])), ["a"]),
        (pl.Series([], dtype=pl.Null), []),
        (pl.Series([], dtype=pl.Boolean), []),
        ([], []),
        (range(2), [0, 1]),
    ],
)
def test_ids_are_whole_numbers_or_text(given, ids):
    assert arguments.ids(given, "users").to_list() == ids


@pytest.mark.parametrize(
    "given",
    [
        "17",
        b"17",
        bytearray(b"17"),
        memoryview(b"17"),
        17,
        1.5,
        None,
        True,
        {"a": 1},
        {"a"},
        frozenset("a"),
        object(),
        Mute(),
        HUGE,
        np.array(3),
        np.array([b"a"]),
        np.array(["2024"], dtype="M8[s]"),
        np.array([[1, 2]]),
        np.zeros(2, dtype=[("a", int)]),
        pl.DataFrame({"a": [1]}),
        pl.LazyFrame({"a": [1]}),
        pd.DataFrame({"a": [1]}),
        pa.table({"a": [1]}),
        pl.col("a"),
        pl.Series([True]),
        pl.Series([[1]]),
        pl.Series([b"a"]),
        pl.Series([1, None]),
        pl.Series([1.5]),
        pl.Series([float("nan")]),
        pl.Series([2.0**60]),
        pl.Series([datetime(2024, 1, 1)]),
        pl.Series([object()]),
        pa.array([None, 1]),
        pd.Series([1.5]),
        pd.Series([1, pd.NA]),
        pd.Series(["a", None]),
        pd.Series([True]),
        pd.Series(pd.to_datetime(["2024"])),
        itertools.repeat("a"),
        Colour.RED,
        Path("a"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_list_of_ids_is_refused_in_one_line(given):
    with pytest.raises(RequestError) as caught:
        arguments.ids(given, "users")
    assert caught.value.where == "users"
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "one",
    [
        True,
        np.True_,
        None,
        float("nan"),
        float("inf"),
        1.5,
        2.0**60,
        b"17",
        [1],
        (1,),
        {"a": 1},
        Colour.RED,
        Decimal(1),
        Fraction(1),
        1j,
        datetime(2024, 1, 1),
        np.datetime64("2024"),
        np.timedelta64(1, "s"),
        np.float64("nan"),
        pd.NA,
        pd.NaT,
        "\ud800",
        HUGE,
        Mute(),
        object(),
        np.array(1),
        pl.Series([1]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_id_is_refused_among_others(one):
    for given in ([one], ["a", one], [1, one]):
        with pytest.raises(RequestError) as caught:
            arguments.ids(given, "users")
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_a_set_is_a_list_where_order_does_not_matter():
    assert set(arguments.ids({"a", "b"}, "deny", ordered=False)) == {"a", "b"}


def test_a_count_is_a_whole_number_within_bounds():
    for given in (3, np.int64(3), np.uint8(3)):
        found = arguments.whole(given, "k", 1, 10)
        assert (found, type(found)) == (3, int)
    for given in (0, 11, -1, 3.0, "3", None, True, np.True_, HUGE, np.timedelta64(3, "s"), Fraction(3), [3]):
        with pytest.raises(RequestError, match=r"^k: expected 1 to 10, found "):
            arguments.whole(given, "k", 1, 10)


def test_a_flag_is_true_or_false_and_no_word():
    assert arguments.flag(np.True_, "exclude_seen") is True
    assert arguments.flag(False, "exclude_seen") is False
    for given in ("no", "", 0, 1, None, [], 0.0, np.array([True])):
        with pytest.raises(RequestError, match=r"^exclude_seen: expected True or False, found "):
            arguments.flag(given, "exclude_seen")


def test_a_moment_is_a_datetime():
    plus = timezone(timedelta(hours=14))
    assert arguments.moment(datetime(1970, 1, 1, 14, tzinfo=plus), "at") == 0
    assert arguments.moment(pd.Timestamp(5, unit="s"), "at") == 5
    assert arguments.moment(datetime.min.replace(tzinfo=plus), "at") < -(10**10)
    for given in (date(2024, 1, 1), "2024-01-01", 0, 1.5, pd.NaT, np.datetime64("2024"), None, True):
        with pytest.raises(RequestError, match=r"^at: expected a datetime"):
            arguments.moment(given, "at")


def test_a_path_is_a_path():
    assert arguments.path("a/b", "save") == arguments.path(Path("a/b"), "save") == Path("a/b")
    for given in ("", "a\0b", None, 3, b"a", ["a"], True):
        with pytest.raises(RequestError, match=r"^save: expected the path of a folder, found "):
            arguments.path(given, "save")


def test_a_word_is_text():
    assert arguments.word(np.str_("buy"), "task") == "buy"
    for given in (b"buy", 3, None, ["buy"], Colour.RED):
        with pytest.raises(RequestError, match=r"^task: expected a name, found "):
            arguments.word(given, "task")


def test_a_value_is_shown_in_one_short_printable_line():
    for value in (
        "a" * 10**6,
        list(range(10**6)),
        "\x1b[31m\n\u202e",
        pl.DataFrame({"a": range(99)}),
        Mute(),
        HUGE,
    ):
        line = arguments.shown(value)
        assert len(line) <= 120 and line.isprintable()
    assert arguments.shown("ü1") == "'ü1'"
