"""Columns of files: rows hold names and bytes; what cannot be read is refused with its reason."""

from dataclasses import replace

import polars as pl
import pytest

from intertask.data.rows import Rows
from intertask.errors import DataError, IntertaskError, RequestError
from intertask.samples import requests
from intertask.samples.corpus import RowCorpus
from intertask.samples.splits import RowsSplit


@pytest.fixture
def table(tmp_path):
    """Four rows whose files lie beside the table; the third has none."""
    (tmp_path / "scans").mkdir()
    for number in (0, 1, 3):
        (tmp_path / "scans" / f"{number}.png").write_bytes(b"content %d" % number)
    lines = [f"scans/{number}.png,{'ab'[number % 2]}" for number in range(4)]
    (tmp_path / "rows.csv").write_text("\n".join(["scan,label", *lines, ""]))
    return tmp_path / "rows.csv"


def read(table, **more):
    return Rows.read(table, files=["scan"], labels=["label"], **more)


def test_rows_hold_names_and_bytes(table):
    rows = read(table)
    assert rows.files == ("scan",)
    assert rows.inputs["scan"].to_list() == [
        {"name": f"scans/{number}.png", "content": b"content %d" % number} for number in (0, 1, 3)
    ]
    assert rows.labels["label"].to_list() == ["a", "b", "b"]


def test_a_missing_file_is_refused_with_its_row_and_name(table):
    report = read(table).report
    assert report.rows.rows() == [(3, "no such file", "scan", "scans/2.png")]
    with pytest.raises(DataError, match="no such file"):
        read(table, strict=True)


def test_an_empty_path_and_a_folder_are_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"x")
    lines = ["scan,label", "x.png,a", ",b", ".,c", "x.png,d", "x.png,e"]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    assert read(tmp_path / "rows.csv").report.rows.rows() == [
        (2, "missing file", "scan", None),
        (3, "a folder", "scan", "."),
    ]


def test_no_file_at_all_is_an_error_and_not_an_empty_table(table):
    for file in (table.parent / "scans").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="no such file"):
        read(table)


def test_digest_depends_on_bytes_and_not_on_their_place(table):
    before = read(table).digest()
    (table.parent / "scans" / "1.png").write_bytes(b"other")
    assert read(table).digest() != before


def test_bytes_of_a_frame_are_taken_as_they_are():
    frame = pl.DataFrame({"scan": [b"one", b"two"], "label": ["a", "b"]})
    rows = Rows.read(frame, files=["scan"], labels=["label"])
    assert [own["content"] for own in rows.inputs["scan"]] == [b"one", b"two"]
    assert rows.inputs["scan"][1]["name"] == "scan row 2"


def test_a_number_is_no_file():
    with pytest.raises(DataError, match="paths of files"):
        Rows.read(pl.DataFrame({"scan": [1.5], "label": ["a"]}), files=["scan"], labels=["label"])


def test_a_corpus_gives_rows_back(table, tmp_path):
    corpus = RowCorpus(read(table))
    corpus.write(tmp_path / "corpus")
    back = RowCorpus.open(tmp_path / "corpus")
    assert back.rows.inputs.equals(corpus.rows.inputs)
    assert back.digest() == corpus.digest()


def test_splits_take_rows_with_files(table):
    frame = pl.DataFrame({"scan": [b"%d" % n for n in range(20)], "label": ["a", "b"] * 10})
    rows = Rows.read(frame, files=["scan"], labels=["label"])
    split = RowsSplit().split(rows)
    assert rows.take(split.test).files == ("scan",)


def test_requests_read_paths_and_bytes(table):
    path = table.parent / "scans" / "0.png"
    for given in (path, str(path), b"content 0"):
        rows = requests.read([{"scan": given}], {"scan": "file"})
        assert rows.inputs["scan"][0]["content"] == b"content 0"
    with pytest.raises(IntertaskError, match="no such file"):
        requests.read([{"scan": "nowhere.png"}], {"scan": "file"})
    with pytest.raises(RequestError, match="paths or bytes"):
        requests.read([{"scan": path}, {"scan": b"x"}], {"scan": "file"})
    with pytest.raises(RequestError, match="a column 'scan' of files"):
        requests.read([{"x": "1"}], {"scan": "file", "x": "category"})


def test_rows_without_roles_have_a_digest_however_they_came_about(table):
    rows = read(table)
    dropped = replace(rows, roles=pl.DataFrame({"part": ["a"] * len(rows)}).drop("part"))
    assert dropped.digest() == rows.digest()
