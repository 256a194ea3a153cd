"""What is odd about a log as a whole, though each of its rows can be used. Knows nothing of files.

Nothing is changed here: each oddity is a sentence with counts and an example, for a person to judge.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

SHARE_OF_USER, SHARE_OF_ITEM = 0.05, 0.2  # of all rows, beyond which one id is improbable
SHARE_OF_WORD = 0.01  # the same for a word that programs write where they know nobody
TIMES_THE_MEAN = 10
FEWEST_ROWS = 100
_PLACEHOLDERS = (
    "0",
    "-1",
    "-",
    "?",
    "na",
    "none",
    "null",
    "nil",
    "nan",
    "n/a",
    "\\n",
    "undefined",
    "unknown",
    "guest",
    "anonymous",
    "anon",
    "test",
    "default",
    "missing",
    "not set",
    "(not set)",
    "admin",
    "bot",
)
_MOST_IDS_FOLDED = 2_000_000
_SAMPLE = 20_000  # rows
_FAR_IN_SPREADS, _FAR_AT_LEAST = 10, timedelta(days=365)
_EARLIEST = datetime(1996, 1, 1)  # before there were shops and services whose visitors left a log


def oddities(log: pl.DataFrame, num_repeated: int) -> tuple[str, ...]:
    """Sentences about a log.

    Args:
        log: `user`, `item`, and `time` and `behaviour` where there are any.
        num_repeated: Rows that are equal to an earlier one in everything.
    """
    if log.is_empty():
        return ()
    found = [*_repeated(log, num_repeated), *_far_times(log), *_improbable_times(log)]
    for name, share in (("user", SHARE_OF_USER), ("item", SHARE_OF_ITEM)):
        found += [*_giants(log[name], share), *_look_alikes(log[name])]
    if "behaviour" in log.columns:
        found += _look_alikes(log["behaviour"])
    return tuple(found)


def num_repeated(log: pl.DataFrame) -> int:
    """Rows that are equal to an earlier one in every column."""
    if any(kind.is_nested() or kind == pl.Object for kind in log.dtypes):
        return 0
    if log.hash_rows().n_unique() == log.height:  # a sixth of the cost of the exact count
        return 0
    return log.height - log.n_unique()


def _repeated(log: pl.DataFrame, count: int) -> Iterator[str]:
    if not count:
        return
    advice = 'if the log holds copies, set duplicates = "drop"'
    if "time" not in log.columns and "order" not in log.columns:
        if 2 * count < log.height:  # people do things again, which is no oddity
            return
        advice = "without a time they may well be events that happened again"
    share = _percent(count, log.height)
    yield f"{count:,} rows ({share}) equal an earlier row in every column that is read; {advice}"


def _far_times(log: pl.DataFrame) -> Iterator[str]:
    if "time" not in log.columns or log.height < FEWEST_ROWS:
        return
    times = log["time"]
    quarters = [round(share * (len(times) - 1)) for share in (0.25, 0.75)]
    ticks = np.partition(times.to_physical().to_numpy(), quarters)[quarters]  # twice as fast as quantiles
    low, high = pl.Series(ticks).cast(times.dtype).to_list()
    reach = max(_FAR_AT_LEAST, _FAR_IN_SPREADS * (high - low))
    for word, far in (("before", times < low - reach), ("after", times > high + reach)):
        if count := int(far.sum()):
            yield (
                f"{count:,} rows ({_percent(count, log.height)}) lie long {word} the rest, such as "
                f"{times.filter(far)[0]}; half of the log lies from {low:%Y-%m-%d} to {high:%Y-%m-%d}"
            )


def _improbable_times(log: pl.DataFrame) -> Iterator[str]:
    """Times of nobody's log: numbers that count something else, or from somewhere else than 1970."""
    if "time" not in log.columns:
        return
    middle, last = log["time"].quantile(0.5, interpolation="nearest"), log["time"].max()
    assert isinstance(middle, datetime) and isinstance(last, datetime)
    advice = "if they only count, name them as order; if they are times of another kind, convert them first"
    if last < _EARLIEST:
        yield f"all times lie before {_EARLIEST:%Y}, half of them before {middle:%Y-%m-%d %H:%M}; {advice}"
    elif middle > datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1):
        yield f"half of the times lie in the future, from {middle:%Y-%m-%d} to {last:%Y-%m-%d}; {advice}"


def _giants(ids: pl.Series, most: float) -> Iterator[str]:
    if len(ids) < FEWEST_ROWS:
        return
    counts = _frequent(ids).value_counts(name="count").sort("count", descending=True)
    if counts.is_empty() or counts["count"][0] <= SHARE_OF_WORD * len(ids):
        return
    usual = TIMES_THE_MEAN / ids.n_unique()
    texts = counts[ids.name].cast(pl.String)
    words = texts.str.to_lowercase().is_in(_PLACEHOLDERS)
    likely = pl.DataFrame({"id": texts, "share": counts["count"] / len(ids), "word": words})
    limit = pl.when("word").then(max(SHARE_OF_WORD, usual)).otherwise(max(most, usual))
    for name, share, word in likely.filter(pl.col("share") > limit).head(3).iter_rows():
        advice = (
            f"set missing = [{name!r}, ...] if it stands for nobody" if word else "a program, or a default?"
        )
        yield f"{ids.name} {name[:60]!r} has {100 * share:.1f} % of all rows; {advice}"


def _frequent(ids: pl.Series) -> pl.Series:
    """The rows of ids that may have a share of `SHARE_OF_WORD`: of a long log, as a sample of it says.

    An id with that share lacks half of its expected rows in the sample less than once in 10^9 logs.
    """
    if len(ids) <= _SAMPLE:
        return ids
    sample = ids.gather(np.random.default_rng(0).integers(len(ids), size=_SAMPLE))
    counts = sample.value_counts(name="count")
    often = counts.filter(pl.col("count") >= SHARE_OF_WORD * _SAMPLE / 2)[ids.name]
    return ids.filter(ids.is_in(often.implode()))


def _look_alikes(ids: pl.Series) -> Iterator[str]:
    """Ids that differ by case or by the form of their accents alone: two people, or one?"""
    if ids.dtype != pl.Categorical:
        return
    distinct = ids.unique().cast(pl.String)
    if len(distinct) > _MOST_IDS_FOLDED:
        return
    folded = distinct.str.normalize("NFC").str.to_lowercase()
    alike = len(folded) - folded.n_unique()
    if alike:
        pair = distinct.filter(folded == folded.filter(folded.is_duplicated()).sort()[0]).sort()
        yield (
            f"{alike:,} of {len(distinct):,} {ids.name}s differ from another by case or accents alone: "
            f"{pair[0][:60]!r} and {pair[1][:60]!r}"
        )


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if count * 1_000 >= total else "below 0.1 %"
