"""Columns of texts: in one piece, or as lists of words."""

import polars as pl
import pytest

from intertask.data.rows import Rows
from intertask.errors import DataError, RequestError
from intertask.samples import requests
from intertask.samples.corpus import RowCorpus

TABLE = {"text": ["a bee", " None ", "", None], "kind": ["x", "y", "x", "y"]}


def read(table, **more):
    return Rows.read(table, texts=["text"], labels=["kind"], **more)


def test_a_text_is_one_piece_and_blank_is_missing():
    rows = read(TABLE)
    assert rows.texts == ("text",)
    assert rows.categories == ()
    assert rows.inputs["text"].to_list() == [["a bee"], ["None"], None, None]


def test_words_stay_at_their_places():
    words = [["EU", "", "calls"], [None, " b"], [], ["c"]]
    rows = read(TABLE | {"text": words})
    assert rows.inputs["text"].to_list() == [["EU", "", "calls"], ["", " b"], None, ["c"]]


def test_a_file_of_lines_and_of_lists_reads_the_same(tmp_path):
    pl.DataFrame(TABLE).write_csv(tmp_path / "rows.csv")
    pl.DataFrame(TABLE).write_ndjson(tmp_path / "rows.jsonl")
    pl.DataFrame(TABLE).write_parquet(tmp_path / "rows.parquet")
    found = [read(tmp_path / f"rows.{ending}").inputs for ending in ("csv", "jsonl", "parquet")]
    assert all(own.equals(read(TABLE).inputs) for own in found)


def test_rows_with_texts_are_kept_whole(tmp_path):
    corpus = RowCorpus(read(TABLE | {"text": [["a", "b"], ["a b"], ["c"], ["d"]]}))
    corpus.write(tmp_path / "corpus")
    again = RowCorpus.open(tmp_path / "corpus")
    assert again.rows.inputs.equals(corpus.rows.inputs)
    assert again.digest() == corpus.digest()
    assert RowCorpus(read(TABLE | {"text": [["a b"], ["a b"], ["c"], ["d"]]})).digest() != corpus.digest()


def test_nested_lists_are_no_texts_and_numbers_are_spelt():
    with pytest.raises(DataError, match="texts, or lists of words"):
        read(TABLE | {"text": [[["a"]], [["b"]], [["c"]], [["d"]]]})
    assert read(TABLE | {"text": [1, 2, 3, 4]}).inputs["text"].to_list() == [["1"], ["2"], ["3"], ["4"]]


def test_requests_take_texts_and_words():
    rows = requests.read(
        [{"text": "a b"}, {"text": ["a", "b"]}, {"text": None}, {"text": " "}], {"text": "text"}
    )
    assert rows.inputs["text"].to_list() == [["a b"], ["a", "b"], None, None]
    with pytest.raises(RequestError, match="row 1 column 'text'"):
        requests.read([{"text": {"a": 1}}], {"text": "text"})


def test_a_text_is_no_label_at_once():
    with pytest.raises(DataError, match="no label among the inputs"):
        Rows.read(TABLE, texts=["kind"], labels=["kind"])
