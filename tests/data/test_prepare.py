from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.corpus import Corpus
from intertask.data.event_log import EventLog
from intertask.data.prepare import open_corpus, prepare
from intertask.errors import DataError, IntertaskError


def corpus(frame: pl.DataFrame, **options: object) -> Corpus:
    return prepare(EventLog.read(frame, **options))  # type: ignore[arg-type]


def histories(prepared: Corpus) -> dict[object, list[object]]:
    items, offsets = prepared.items.decode(prepared.sequences.items).to_list(), prepared.sequences.offsets
    return {
        user: items[offsets[place] : offsets[place + 1]]
        for place, user in enumerate(prepared.users.ids.to_list())
    }


def test_equal_times_keep_file_order() -> None:
    count = 5_000
    frame = pl.DataFrame({"user": 1, "item": np.arange(count)[::-1], "time": 1_600_000_000})
    assert histories(corpus(frame))[1] == list(range(count))[::-1]
    order = frame.drop("time").with_columns(order=3)
    assert histories(corpus(order))[1] == list(range(count))[::-1]
    assert histories(corpus(frame.drop("time")))[1] == list(range(count))[::-1]


events = st.lists(
    st.tuples(st.sampled_from(["b", "a", "é"]), st.integers(0, 9), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(events, st.sampled_from(["time", "order"]))
def test_order_is_by_user_then_clock_then_file(rows: list[tuple[str, int, int, bool]], clock: str) -> None:
    rows = [*rows, ("a", 10, 0, True), ("a", 11, 0, False)]
    frame = pl.DataFrame(rows, schema=["user", "item", clock, "behaviour"], orient="row")
    prepared = corpus(frame)
    expected = sorted(range(len(rows)), key=lambda place: (rows[place][0], rows[place][2], place))
    assert prepared.items.decode(prepared.sequences.items).to_list() == [rows[place][1] for place in expected]
    names = np.array(prepared.behaviours)[prepared.sequences.behaviours]
    assert names.tolist() == [str(rows[place][3]).lower() for place in expected]
    assert prepared.sequences.offsets[-1] == len(rows)
    assert (prepared.sequences.lengths > 0).all()


def test_seconds_are_kept_but_finer_times_order() -> None:
    frame = pl.DataFrame(
        {"user": 1, "item": [1, 2], "time": ["2020-01-01T00:00:00.9", "2020-01-01T00:00:00.1"]}
    )
    prepared = corpus(frame)
    assert histories(prepared)[1] == [2, 1]
    assert prepared.sequences.times is not None
    assert prepared.sequences.times.tolist() == [1_577_836_800] * 2


def test_indices_follow_ids_whatever_the_row_order() -> None:
    frame = pl.DataFrame(
        {"user": ["z", "Ä", "a", "B"], "item": [10, 9, 2, 10], "behaviour": ["view", "buy", "cart", "buy"]}
    )
    for rows in (frame, frame.reverse()):
        prepared = corpus(rows)
        assert prepared.users.ids.to_list() == ["B", "a", "z", "Ä"]
        assert prepared.items.ids.to_list() == [2, 9, 10]
        assert prepared.behaviours == ("buy", "cart", "view")


def test_long_text_ids_and_integers_give_the_same_sequences() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"user": random.integers(100, 999, 2_000), "item": random.integers(100, 999, 2_000)})
    words = frame.select(
        pl.format("a very long id indeed, {}", "user").alias("user"),
        pl.format("item {}", "item").alias("item"),
    )
    assert corpus(frame).sequences.digest() == corpus(words).sequences.digest()


def test_missing_labels_are_nan() -> None:
    frame = pl.DataFrame({"user": [1, 1, 1], "item": [1, 2, 3], "rating": [5.0, None, 3.0]})
    label = corpus(frame, labels=["rating"]).sequences.labels["rating"]
    assert label.dtype == np.float32
    assert np.array_equal(label, [5.0, np.nan, 3.0], equal_nan=True)


def test_a_log_without_times_has_none() -> None:
    assert corpus(pl.DataFrame({"user": [1, 1], "item": [1, 2]})).sequences.times is None


def test_users_whose_rows_are_all_refused_vanish() -> None:
    frame = pl.DataFrame({"user": [1, 2, 1], "item": [1, None, 2]})
    assert histories(corpus(frame)) == {1: [1, 2]}


def test_a_folder_holds_the_same_corpus_mapped(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "user": ["ü", "a", "ü"],
            "item": [3, 1, 2],
            "time": [3, 2, 1],
            "behaviour": ["é", "v", "v"],
            "r": [1.0, 2.0, 3.0],
        }
    )
    log = EventLog.read(frame, labels=["r"])
    kept, mapped = prepare(log), prepare(log, tmp_path / "prepared")
    assert isinstance(mapped.sequences.items, np.memmap)
    for other in (mapped, open_corpus(tmp_path / "prepared")):
        assert other.sequences.digest() == kept.sequences.digest()
        assert other.users.ids.to_list() == kept.users.ids.to_list()
        assert other.items.ids.to_list() == kept.items.ids.to_list()
        assert other.behaviours == kept.behaviours
    assert [file.name for file in tmp_path.iterdir()] == ["prepared"]


def test_an_incomplete_folder_is_refused(tmp_path: Path) -> None:
    prepare(EventLog.read(pl.DataFrame({"user": [1, 1], "item": [1, 2]})), tmp_path / "prepared")
    (tmp_path / "prepared" / "users.parquet").unlink()
    with pytest.raises(DataError, match="prepared"):
        open_corpus(tmp_path / "prepared")
    with pytest.raises(DataError, match="missing"):
        open_corpus(tmp_path / "missing")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = EventLog.read(pl.DataFrame({"user": [1, 1], "item": [1, 2]}))
    with pytest.raises(IntertaskError, match="nothing was changed"):
        prepare(log, tmp_path / "file" / "prepared")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame(schema={"user": pl.Int64, "item": pl.Int64}), "an empty log"),
        (pl.DataFrame({"user": [1, 2], "item": ["x", "x"]}), "only 'x'"),
        (pl.DataFrame({"user": 1, "item": range(256), "behaviour": range(256)}), "256"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        corpus(frame)


def test_integers_and_their_spelling_are_the_same_id() -> None:
    prepared = corpus(pl.DataFrame({"user": ["7", "8"], "item": [7, 8]}))
    assert prepared.users.encode(pl.Series([8, 7, 9])).tolist() == [1, 0, -1]
    assert prepared.items.encode(pl.Series(["8", "07", "x"])).tolist() == [1, -1, -1]
    assert prepared.items.encode(pl.Series([8.0, None])).tolist() == [1, -1]
