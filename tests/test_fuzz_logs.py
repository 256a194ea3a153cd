"""Odd logs of every kind of file: each is read with a full account, or refused in one line.

INTERTASK_FUZZ=2500 pytest -s tests/test_fuzz_logs.py tries more of them. A busy machine needs seconds for
what takes tenths on a quiet one, hence the wide limit of time. An independent reading in plain Python says
what times and ids are.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from intertask.data.event_log import EventLog
from intertask.errors import IntertaskError
from tests.fuzzing import fuzz

IDS = [
    "u1",
    "u1 ",
    "\u00a0u1",
    "",
    "NULL",
    "None",
    "NA",
    "007",
    "7",
    "7.0",
    "1e5",
    "1.2E+18",
    "-1",
    "0",
    "é",
    "\\N",
    "9" * 19,
    str(2**63),
    str(2**64 - 1),
    "9" * 40,
    "\x00",
    "a,b",
    'say "hi"',
    "x" * 300,
    "=1+1",
    "\u202eu",
]
TIMES = [
    "",
    "0",
    "-1",
    "NULL",
    "2024-02-21 12:48:52",
    "2024-02-21T12:48:52Z",
    "2024-02-21 12:48:52.1+00",
    "09.08.2011 09:04",
    "31/12/2020",
    "12/31/2020",
    "1708519732",
    "1708519732000",
    "45343.53",
    "20240221",
    "0000-00-00 00:00:00",
    "9999-12-31",
    "1600-01-01",
    "2016-12-31 23:59:60",
    "2024-02-30",
    "24:00",
    "nan",
    "1e400",
    "Wed, 21 Feb 2024 12:48:52 +0000",
    "21-FEB-24",
    "inf",
    "2024-02-21T24:00",
    "9" * 30,
]
NUMBERS = ["1", "0.5", "", "nan", "inf", "-inf", "1e39", "1e400", "x", "NULL", " 2 "]
TYPED = [
    pl.Series([0, 1, 2**62]),
    pl.Series([1.0, float("nan"), float("inf"), 2.0**53, 17.5]),
    pl.Series([True, False]),
    pl.Series([2**64 - 1, 3], dtype=pl.UInt64),
    pl.Series([datetime(2024, 1, 1), datetime(1970, 1, 1), None]),
    pl.Series([datetime(9999, 12, 31), datetime(1, 1, 1)]),
    pl.Series([timedelta(1)]),
    pl.Series([b"a", b"\xff"]),
    pl.Series([[1], None]),
    pl.Series([{"a": 1}]),
    pl.Series([None, None]),
    pl.Series(["1.5", "2"]).cast(pl.Decimal(10, 2)),
    pl.Series(["a ", "NULL"], dtype=pl.Categorical),
    pl.Series([datetime(2024, 1, 1)]).dt.replace_time_zone("Europe/Vienna"),
    pl.Series([datetime(2024, 1, 1).date()]),
]


def drawn(random: np.random.Generator, values: list[str], plain: list[str], count: int) -> list[str]:
    """Mostly plain values, and some of the odd ones."""
    odd = random.random() * random.integers(0, 2)
    return [
        values[random.integers(len(values))] if random.random() < odd else plain[random.integers(len(plain))]
        for _ in range(count)
    ]


def table(random: np.random.Generator) -> pl.DataFrame:
    count = int(random.integers(1, 40))
    moments = [f"2024-0{random.integers(1, 10)}-1{random.integers(10)} 10:00:0{row % 10}" for row in range(9)]
    numbers = [str(1_700_000_000 + row) for row in range(9)]
    frame = pl.DataFrame(
        {
            "user": drawn(random, IDS, [f"u{row}" for row in range(5)], count),
            "item": drawn(random, IDS, [str(row) for row in range(1, 9)], count),
            "behaviour": drawn(random, IDS, ["view", "buy"], count),
            "time": drawn(random, TIMES, moments if random.random() < 0.6 else numbers, count),
            "stars": drawn(random, NUMBERS, ["1", "5"], count),
        }
    )
    if random.random() < 0.1:
        frame = frame.drop(str(random.choice(frame.columns)))
    if random.random() < 0.2:
        frame = pl.concat([frame] * 3)
    return frame


def write(frame: pl.DataFrame, ending: str, folder: Path, random: np.random.Generator) -> Path:
    path = folder / f"log.{ending}"
    path.unlink(missing_ok=True)
    if ending == "parquet":
        for name in frame.columns:
            if random.random() < 0.3:
                values = TYPED[random.integers(len(TYPED))]
                places = pl.Series(random.integers(0, len(values), frame.height))
                frame = frame.with_columns(values.gather(places).alias(name))
        frame.write_parquet(path)
    elif ending == "jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path, separator="\t" if ending == "tsv" else str(random.choice([",", ";", "|"])))
    content = bytearray(path.read_bytes())
    if random.random() < 0.3 and content:
        for _ in range(int(random.integers(1, 6))):
            place, byte = int(random.integers(len(content))), int(random.integers(256))
            how = random.integers(3)
            content[place : place + (how != 1)] = bytes([byte] * int(how != 2))
            content = content or bytearray(b" ")
    path.write_bytes(content)
    return path


def test_odd_logs_are_read_with_a_full_account_or_refused(tmp_path):
    def one(random: np.random.Generator) -> None:
        frame = table(random)
        ending = str(random.choice(["csv", "tsv", "jsonl", "parquet"]))
        path = write(frame, ending, tmp_path, random)
        options = {"labels": ["stars"]} if "stars" in frame.columns and random.random() < 0.5 else {}
        log = EventLog.read(path, duplicates=str(random.choice(["keep", "drop"])), **options)
        report = log.report
        assert report.read == log.num_events + report.refused == report.kept + report.refused
        assert sum(report.counts.values()) == report.refused
        assert report.rows["row"].is_unique().all() and report.rows["row"].is_between(1, report.read).all()
        kept = log.frame
        assert kept.select("user", "item", "behaviour").null_count().row(0) == (0, 0, 0)
        for name in ("user", "item", "behaviour"):
            if kept[name].dtype == pl.String:
                assert (kept[name] == kept[name].str.strip_chars()).all() and (kept[name] != "").all()
        if "time" in kept.columns:
            assert kept["time"].dt.year().is_between(1970, 2099).all()
        assert all("\n" not in json.dumps(note) for note in report.notes)

    fuzz(one, inputs=60, allowed=IntertaskError, seconds=20)


def test_plain_logs_are_read_as_python_reads_them(tmp_path):
    def one(random: np.random.Generator) -> None:
        count = int(random.integers(1, 60))
        start = int(random.integers(600_000_000, 4_000_000_000))
        numbers = random.integers(0, 90_000_000, count) + start
        moments = [datetime.fromtimestamp(int(number), UTC) for number in numbers if number < 4_100_000_000]
        unit, form = int(random.choice([1, 10**3, 10**6, 10**9])), int(random.integers(6))
        zone = timedelta(minutes=int(random.integers(-900, 900)))
        spelt = [
            [str(int(moment.timestamp()) * unit) for moment in moments],
            [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in moments],
            [moment.strftime("%a, %d %b %Y %H:%M:%S GMT") for moment in moments],
            [moment.strftime("%Y%m%dT%H%M%SZ") for moment in moments],
            [(moment + zone).strftime("%Y/%m/%d %H:%M:%S") + offset(zone) for moment in moments],
            [moment.strftime("%B %d, %Y %I:%M:%S %p") for moment in moments],
        ][form]
        users = [f"{'  ' * int(random.integers(2))}u{random.integers(9)}" for _ in moments]
        frame = pl.DataFrame({"user": users, "time": spelt}, schema={"user": pl.String, "time": pl.String})
        path = tmp_path / "log.csv"
        frame.with_row_index("item").write_csv(path)
        log = EventLog.read(path)
        assert log.frame["time"].to_list() == [moment.replace(tzinfo=None) for moment in moments]
        assert log.frame["user"].to_list() == [user.strip() for user in users]

    fuzz(one, inputs=30, allowed=(), seconds=20)


def offset(zone: timedelta) -> str:
    minutes = int(zone.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
