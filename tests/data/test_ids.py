from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.data.prepare import open_corpus, prepare
from intertask.data.vocabulary import Vocabulary
from intertask.errors import DataError, IntertaskError

BIG = 2**63


def read(users: object, **options: object) -> EventLog:
    frame = pl.DataFrame({"user": users}, strict=False).with_row_index("item")
    return EventLog.read(frame, **options)  # type: ignore[arg-type]


def users(values: object, **options: object) -> list[object]:
    return read(values, **options).frame["user"].to_list()


def in_csv(folder: Path, values: list[object], **options: object) -> EventLog:
    path = folder / "log.csv"
    pl.DataFrame({"user": [str(value) for value in values]}).with_row_index("item").write_csv(path)
    return EventLog.read(path, **options)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=20, unique=True))
def test_unsigned_ids_go_through_log_corpus_and_vocabulary(tmp_path_factory, ids):
    folder = tmp_path_factory.mktemp("unsigned")
    typed = pl.Series("user", ids, dtype=pl.UInt64)
    for log in (read(typed), in_csv(folder, ids)):
        assert log.report.refused == 0
        assert log.frame["user"].to_list() == ids
        prepare(log, folder / "corpus")
        known = open_corpus(folder / "corpus").users
        assert known.ids.to_list() == sorted(ids)
        for asked in (typed, pl.Series(ids), pl.Series([str(one) for one in ids])):
            assert [known.ids[place] for place in known.encode(asked).tolist()] == ids


def test_unsigned_ids_join_a_catalogue_and_unknown_ones_are_unknown():
    ids = pl.Series("item", [BIG + 5, 7, 2**64 - 1], dtype=pl.UInt64)
    catalogue = Catalogue.read(pl.DataFrame({"item": ids, "title": ["a", "b", "c"]}), text=["title"])
    assert catalogue.text_of(pl.Series([7, BIG + 5], dtype=pl.UInt64)).to_list() == ["b", "a"]
    assert catalogue.text_of(pl.Series([7, 8])).to_list() == ["b", None]
    assert catalogue.text_of(pl.Series([str(BIG + 5)])).to_list() == ["a"]
    for known in (Vocabulary(ids), Vocabulary(pl.Series([1, 7]))):
        place = known.ids.to_list().index(7)
        for asked in ([7, BIG + 1], [7, 2**70], [7, -1], [7, -(2**70)]):
            assert known.encode(pl.Series(asked, strict=False)).tolist() == [place, -1], asked


def test_integers_beyond_64_bits_and_mixtures_with_words_are_words(tmp_path):
    assert in_csv(tmp_path, [2**70, 1]).frame["user"].to_list() == [str(2**70), "1"]
    assert in_csv(tmp_path, [2**63, -1]).frame["user"].to_list() == [str(2**63), "-1"]
    assert in_csv(tmp_path, [2**63 - 1, -(2**63)]).frame["user"].to_list() == [2**63 - 1, -(2**63)]
    assert in_csv(tmp_path, [17, "x17", "007"]).frame["user"].to_list() == ["17", "x17", "007"]


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5).filter(lambda word: word.isalpha()),
    st.text(st.sampled_from(" \t\u00a0\u200b\ufeff\u3000\u2060\x00\x85"), max_size=3),
    st.text(st.sampled_from(" \t\r\u00a0\u200b\ufeff\u3000\u2060\x00\u2028"), max_size=3),
)
def test_what_cannot_be_seen_at_the_ends_is_no_part_of_an_id(word, before, after):
    odd = f"{before}{word}{after}"
    frame = pl.DataFrame({"user": [word, odd], "item": [f"x{odd}x"] * 2, "behaviour": [odd, word]})
    log = EventLog.read(frame, missing=[])
    assert log.frame["user"].to_list() == [word, word] == log.frame["behaviour"].to_list()
    assert log.frame["item"].to_list() == [f"x{odd}x"] * 2


@pytest.mark.parametrize(
    "word", ["NULL", "null", "None", "nan", "NaN", "N/A", "\\N", "", " ", "\u200b", "<NA>"]
)
def test_words_for_nothing_are_missing_and_counted(word, tmp_path):
    rows = ["a", "b", word, "c", word]
    for log in (read(rows), in_csv(tmp_path, rows)):
        assert log.report.counts == {"missing user": 2}
        assert log.frame["user"].to_list() == ["a", "b", "c"]
    assert in_csv(tmp_path, ["1", "2", word]).frame["user"].to_list() == [1, 2]
    labelled = pl.DataFrame({"user": "u", "item": ["a", "b"], "stars": ["5", word]})
    assert EventLog.read(labelled, labels=["stars"]).frame["stars"].to_list() == [5.0, None]


def test_which_words_are_missing_can_be_said():
    assert users(["NA", "none", "a"]) == ["NA", "none", "a"]
    assert users(["None", "NULL", "a"], missing=[]) == ["None", "NULL", "a"]
    assert users(["None", "guest", "a"], missing=["guest"]) == ["None", "a"]
    catalogue = pl.DataFrame({"item": ["None", "a"]})
    assert len(Catalogue.read(catalogue)) == 1
    assert len(Catalogue.read(catalogue, missing=[])) == 2
    with pytest.raises(IntertaskError, match="missing: expected"):
        users(["a"], missing="guest")


def test_whole_floats_are_integers_also_as_text(tmp_path):
    assert users([17.0, 18.0, None]) == [17, 18]
    assert in_csv(tmp_path, ["17.0", "18", ""]).frame["user"].to_list() == [17, 18]
    assert users([Decimal(17), Decimal(18)]) == [17, 18]
    assert in_csv(tmp_path, ["1e5", "100000"]).frame["user"].to_list() == ["1e5", "100000"]
    assert in_csv(tmp_path, ["1.10", "1.1"]).frame["user"].to_list() == ["1.10", "1.1"]


def test_floats_that_stand_for_several_integers_are_refused_by_name(tmp_path):
    assert users([2.0**53 - 1, 1.0, 2.0**53]) == [2**53 - 1, 1]
    found = {"user of 2^53 or more as a float": 1}
    assert read([1.0, 9007199254740993.0]).report.counts == found
    assert in_csv(tmp_path, ["1.0", "9007199254740993.0"]).report.counts == found
    assert read(pl.Series([1.0, 16777217.0], dtype=pl.Float32)).report.counts == {
        "user of 2^24 or more as a float": 1
    }
    assert in_csv(tmp_path, ["a", "1.23457E+18"]).report.counts == {"user is a rounded number": 1}
    with pytest.raises(DataError, match=r"2\^53"):
        users([1.1e18, 1.2e18])


def test_categories_are_words_and_bytes_are_refused():
    for kind in (pl.Categorical, pl.Enum(["b ", "a"])):
        assert users(pl.Series(["b ", "a", None], dtype=kind)) == ["b", "a"]
    for values in ([b"a"], [[1]], [True]):
        with pytest.raises(DataError, match="ids of the users"):
            users(values)
