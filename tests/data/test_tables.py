"""Files as people have them: every line that is no row is named, and the others are kept."""

import codecs
import errno
import gzip
import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intertask.data import csv_lines, lines
from intertask.data.catalogue import Catalogue
from intertask.data.csv_lines import BEHIND_QUOTE, HEADER, MORE_CELLS, UNCLOSED, mend_csv, runs_on, survey
from intertask.data.event_log import EventLog
from intertask.data.lines import NOT_UTF8, NULS
from intertask.data.plain_text import likely_encoding
from intertask.data.tables import scan
from intertask.errors import DataError

HEAD = b"user,item,title\n"


def read(folder: Path, content: bytes, name: str = "log.csv", **options: str) -> EventLog:
    (folder / name).write_bytes(content)
    return EventLog.read(folder / name, keep=["title"], **options)


def kept(log: EventLog) -> list[tuple[object, ...]]:
    return log.frame.select("user", "item", "title").rows()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"b,2,two,extra", MORE_CELLS),
        (b'b,2,"two', UNCLOSED),
        (b'b,"2,two', UNCLOSED),
        (b'b,2,"two"x', BEHIND_QUOTE),
        (b'b,2,"12" pot"', BEHIND_QUOTE),
        (b"b,2,\xff", NOT_UTF8),
        (b"b,2,\xc3", NOT_UTF8),
        (b"b\0,2,two", NULS),
        (b"\0\0\0\0", NULS),
        (b"user,item,title", HEADER),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_damaged_line_costs_itself_alone_and_is_named(
    line: bytes, reason: str, end: bytes, tmp_path: Path
) -> None:
    good = b"a,1,one\n" + b'c,3,"th""ree"\n'
    content = (HEAD + b"a,1,one\n" + line + b"\n" + good).replace(b"\n", end)
    log = read(tmp_path, content)
    assert kept(log) == [("a", 1, "one"), ("a", 1, "one"), ("c", 3, 'th"ree')]
    assert log.report.read == 4
    ((row, found, column, value),) = log.report.rows.rows()
    assert (row, found, column) == (2, reason, None)
    assert value.startswith("line 3: ") and value.endswith(line.decode("utf-8", "replace"))


def test_rows_behind_a_damaged_line_keep_their_numbers(tmp_path: Path) -> None:
    log = read(tmp_path, HEAD + b"1,2,3,4\n,1,no user\na,1,\n5,6,7,8\n9,9,9,9\n,1,no user\n")
    assert log.report.rows["row"].to_list() == [1, 2, 4, 5, 6]
    assert log.report.counts == {MORE_CELLS: 3, "missing user": 2}
    assert log.report.read == 6 and log.num_events == 1


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"\n\na,1,x\n\nb,2,y\n\n\n",
        b"\n\n" + HEAD + b"a,1,x\nb,2,y\n",
        HEAD + b"a,1,x\r\nb,2,y",
        (HEAD + b"a,1,x\nb,2,y").replace(b"\n", b"\r"),
        HEAD + b"a,1,x\rb,2,y\r\n\r\n",
        codecs.BOM_UTF8 + HEAD + b"a,1,x\nb,2,y\n",
        codecs.BOM_UTF8 + HEAD + b"\na,1,x\nb,2,y\n",
        codecs.BOM_UTF8 + b'"user",item,title\n\na,1,x\nb,2,y\n',
        HEAD + b"a,1,x,\nb,2,y,,,\n",
        HEAD + b'a, "1",x\n"b",2, "y" \n',
        b"sep=;\nuser;item;title\na;1;x\nb;2;y\n",
        b"user;item;title\na;1;x\nb;2;y\n",
        b"user|item|title\na|1|x\nb|2|y\n",
    ],
)
def test_line_ends_marks_blank_lines_and_separators_change_nothing(content: bytes, tmp_path: Path) -> None:
    log = read(tmp_path, content)
    assert kept(log) == [("a", 1, "x"), ("b", 2, "y")]
    assert log.report.refused == 0


def test_cells_that_are_missing_at_the_end_of_a_line_are_missing_values(tmp_path: Path) -> None:
    log = read(tmp_path, HEAD + b"a,1\nb\n")
    assert kept(log) == [("a", 1, None)]
    assert log.report.counts == {"missing item": 1}


def test_quotes_within_a_cell_and_cells_of_several_lines_are_kept(tmp_path: Path) -> None:
    text = HEAD + b'a,1,12" pot\nb,2,"three\nlines\nhere"\nc,3,"x,""y"""\nd,4,plain\n'
    log = read(tmp_path, text)
    assert kept(log) == [
        ("a", 1, '12" pot'),
        ("b", 2, "three\nlines\nhere"),
        ("c", 3, 'x,"y"'),
        ("d", 4, "plain"),
    ]
    assert log.report.refused == 0


@pytest.mark.parametrize("end", ["", '"', ' closed at last"'])
def test_an_open_quote_swallows_no_rows(end: str, tmp_path: Path) -> None:
    rows = [f"u{number},{number},t" for number in range(5000)]
    rows[10] = 'u10,10,"open'
    rows[4000] += end
    log = read(tmp_path, HEAD + "\n".join(rows).encode())
    assert log.report.rows["value"][0] == 'line 12: u10,10,"open'
    assert log.report.counts == {UNCLOSED: 1}
    assert log.num_events == 4999


def test_a_header_alone_is_an_empty_log(tmp_path: Path) -> None:
    for content in (HEAD, HEAD.strip(), HEAD + b"\n\n"):
        assert read(tmp_path, content).num_events == 0
    with pytest.raises(DataError, match="blank lines alone"):
        read(tmp_path, b"\n \n")


def test_a_repeated_name_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    assert kept(read(tmp_path, b"user,item,title,x,x,,\na,1,b,2,3,4,5\n")) == [("a", 1, "b")]
    with pytest.raises(DataError, match=r"expected one column 'item' for item, found several"):
        read(tmp_path, b"user,item,title,item\na,1,b,2\n")


def test_a_line_without_end_is_refused_and_the_next_one_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lines, "_PIECE", 1 << 10)
    monkeypatch.setattr(lines, "LONGEST_LINE", 1 << 12)
    long = b"b,2," + b"x" * (1 << 15) + b"\0"
    log = read(tmp_path, HEAD + b"a,1,x\n" + long + b"\nc,3,y\n")
    assert kept(log) == [("a", 1, "x"), ("c", 3, "y")]
    assert log.report.counts == {lines.TOO_LONG: 1}


CELLS = st.text(st.sampled_from('ab ü,"\n\r;'), max_size=6)


def spelt(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


@settings(max_examples=150)
@example([("", "\r\r\n", "")], 7)  # a piece ends between two line ends
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([7, 1 << 20]))
def test_the_exact_way_reads_what_was_written(tmp_path_factory, rows, piece) -> None:
    rows = [(f"u{number}", *row[1:]) for number, row in enumerate(rows)]
    file = tmp_path_factory.mktemp("exact") / "log.csv"
    text = "\n".join(",".join(map(spelt, row)) for row in [("user", "item", "title"), *rows]) + "\n"
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_PIECE", piece)
        mended = mend_csv(file, ",")
    expected = [tuple(cell or None for cell in row) for row in rows]
    # A line end within a cell is one, however it was written.
    expected = [tuple(c and c.replace("\r\n", "\n").replace("\r", "\n") for c in row) for row in expected]
    assert mended.damaged.is_empty() and mended.num_rows == len(rows)
    assert pl.read_csv(mended.file.path, infer_schema=False).rows() == expected
    if survey(file, ",", b"user,item,title") is not None:
        assert scan(file).rows.collect().rows() == [tuple(cell or None for cell in row) for row in rows]


@settings(max_examples=200)
@given(
    st.binary(max_size=60).map(lambda tail: HEAD + b"a,1,x\n" + tail)
    | st.text('ab,"\n\r\0', max_size=40).map(lambda tail: HEAD + b"a,1,x\n" + tail.encode() + b"\nb,2,y\n")
)
def test_whatever_stands_in_a_file_every_row_is_kept_or_refused(tmp_path_factory, content) -> None:
    try:
        log = read(tmp_path_factory.mktemp("any"), content)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert log.report.read == log.num_events + log.report.refused
    assert [str(cell) for cell in kept(log)[0]] == ["a", "1", "x"]


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from([b'a,1,"x\n', b"a,1,x\n", b'a,"1",x\n', b'a,1,"\n', b'"a,1,x"\n', b'a,""1,x\n']),
        max_size=40,
    ),
    st.sampled_from([3, 10, 1 << 22]),
)
def test_the_survey_says_the_same_in_pieces(tmp_path_factory, rows, piece) -> None:
    file = tmp_path_factory.mktemp("survey") / "log.csv"
    file.write_bytes(HEAD + b"".join(rows))
    whole = survey(file, ",", HEAD), runs_on(file, ",")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_lines, "_PIECE", piece)
        assert (survey(file, ",", HEAD), runs_on(file, ",")) == whole


def test_a_file_full_of_open_quotes_ends(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csv_lines, "_MOST_WASTED", 500)
    text = HEAD + b'12","a,b\n' * 3000 + b"a,1,x\n"
    log = read(tmp_path, text)
    assert kept(log)[-1] == ("a", 1, "x")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"user": ', "no JSON"),
        (b'{"user": "b", "item": 2} x', "no JSON"),
        (b"[1, 2]", "no JSON object"),
        (b"5", "no JSON object"),
        (b'{"user": "b\xff", "item": 2}', NOT_UTF8),
        (b"\0\0\0", NULS),
        (b'{"user": "b", "item": 1e999}', "no JSON"),
        (b'{"user": "b", "item": Infinity}', "no JSON"),
        (b'{"user": "b", "item": ' + b"9" * 50 + b"}", "no JSON"),
        (b'{"user": "b", "item": [2]}', "item is a list"),
        (b'{"user": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON"),
    ],
)
def test_a_broken_json_line_costs_itself_alone_and_is_named(line: bytes, reason: str, tmp_path: Path) -> None:
    good = [json.dumps({"user": user, "item": 1, "title": "x"}).encode() for user in "abcd"]
    log = read(tmp_path, b"\n".join([good[0], line, b"", *good[1:]]), "log.jsonl")
    assert log.frame["user"].to_list() == ["a", "b", "c", "d"]
    assert log.report.rows.select("row", "reason").rows() == [(2, reason)]
    assert log.report.rows["value"][0].startswith("line 2: ")


def test_json_as_python_and_windows_write_it(tmp_path: Path) -> None:
    text = '{"user":"a","item":1,"title":"NaN","r":NaN}\r\n\r\n{"user":"ü","item":2,"title":null,"r":2}'
    (tmp_path / "log.jsonl").write_bytes(codecs.BOM_UTF8 + text.encode())
    log = EventLog.read(tmp_path / "log.jsonl", labels=["r"], keep=["title"])
    assert log.frame.select("user", "item", "title", "r").rows() == [
        ("a", 1, "NaN", None),
        ("ü", 2, None, 2.0),
    ]
    (tmp_path / "log.jsonl").write_text('[{"user": 1, "item": 2},\n{"user": 1, "item": 2}]')
    with pytest.raises(DataError, match="found a JSON array; write each object on a line"):
        EventLog.read(tmp_path / "log.jsonl")


def test_a_file_without_one_row_is_refused_with_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none in 2; the first has no JSON \(line 1: hello\)"):
        read(tmp_path, b"hello\nworld\n", "log.jsonl")


PACKED = gzip.compress(
    HEAD + b"".join(b"u%d,%d,t\n" % (number, number * 7919 % 100) for number in range(3000))
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (PACKED[:-1], "its beginning"),
        (PACKED[: len(PACKED) // 2], "its beginning"),
        (PACKED[:5], "its beginning"),
        (PACKED + b"garbage", "other bytes behind its end"),
        (HEAD + b"a,1,x\n", "none"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
        (gzip.compress(b"PAR1" + bytes(100)), "a Parquet file"),
        (gzip.compress(gzip.compress(HEAD)), "a gzip archive"),
        (gzip.compress(bytes(257) + b"ustar\0" + bytes(300)), "a tar archive"),
        (gzip.compress(HEAD + b"a,1,x\n" * (60 << 20), 9), "unpacks to 256 MiB at most, found more"),
        (gzip.compress(b""), "blank lines alone"),
    ],
    ids=lambda own: own if isinstance(own, str) else "",  # archives hold the time
)
def test_an_archive_that_is_none_gets_one_line(content: bytes, found: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, "log.csv.gz")
    assert str(caught.value).startswith(f"{tmp_path}/log.csv.gz: expected ") and found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_flipped_byte_of_an_archive_is_read(tmp_path: Path) -> None:
    whole = kept(read(tmp_path, PACKED, "log.csv.gz"))
    assert len(whole) == 3000
    for place in [*range(4), *range(8, 40), *range(40, len(PACKED), len(PACKED) // 60)]:
        if place in (4, 5, 6, 7, 8, 9):  # time, level and system of the writer, which say nothing of the text
            continue
        flipped = bytearray(PACKED)
        flipped[place] ^= 0x55
        with pytest.raises(DataError, match=r"log\.csv\.gz"):
            read(tmp_path, bytes(flipped), "log.csv.gz")


def test_members_one_behind_the_other_are_one_archive(tmp_path: Path) -> None:
    log = read(tmp_path, gzip.compress(HEAD + b"a,1,x\n") + gzip.compress(b"b,2,y\n"), "log.csv.gz")
    assert kept(log) == [("a", 1, "x"), ("b", 2, "y")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (PACKED, "found a gzip archive; give its name the ending .gz"),
        (
            b"PK\x03\x04" + bytes(50),
            "found a ZIP archive or an Excel workbook; unpack it, or save its sheet as CSV",
        ),
        (b"PAR1" + bytes(50), "found a Parquet file; give its name the ending .parquet"),
        (b"<!DOCTYPE html><html>", "found a web page; download the file again"),
    ],
)
def test_another_kind_of_file_under_the_name_of_a_csv_is_said_to_be_one(content, line, tmp_path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert line in str(caught.value)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.csv")
    with pytest.raises(DataError, match="a pipe or a device"):
        EventLog.read(tmp_path / "log.csv")


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251", "gb18030"],
)
@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_a_file_in_any_encoding_is_read_where_it_is_said(encoding: str, ending: str, tmp_path: Path) -> None:
    letters = {"cp1251": "Привет", "gb18030": "你好"}.get(encoding, "Größe")
    content = f"user,item,title\r\nä{letters},1,{letters}\r\n".replace("ä", "").encode(encoding)
    content = gzip.compress(content) if ending == "csv.gz" else content
    log = read(tmp_path, content, f"log.{ending}", encoding=encoding)
    assert kept(log) == [(letters, 1, letters)]


def test_an_unsaid_encoding_is_named_in_the_refusal(tmp_path: Path) -> None:
    text = "user,item,title\n" + "".join(f"u{n},{n},Größe für Türen\n" for n in range(200))
    with pytest.raises(DataError, match=r"200 of 200 lines that are not; say encoding = 'cp1252'"):
        read(tmp_path, text.encode("cp1252"))
    with pytest.raises(DataError, match=r"say encoding = 'cp1252'"):
        read(tmp_path, text.replace("title", "größe").encode("cp1252"))
    assert read(tmp_path, text.encode("utf-16")).num_events == 200
    with pytest.raises(DataError, match=r"say encoding = 'utf-16-le'"):
        read(tmp_path, text.encode("utf-16-le"))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Größe für Türen, Äpfel"),
        ("latin-1", "façade, garçon, café, été"),
        ("cp1251", "Привет, это большой магазин, товары и покупатели"),
        ("cp1253", "Καλημέρα κόσμε, προϊόντα"),
        ("gb18030", "我们的商品目录包括许多不同的东西用户可以购买"),
        ("shift_jis", "私たちの店にはたくさんの商品があります"),
        ("utf-16-le", "Größe für Türen"),
        ("utf-16-be", "Größe für Türen"),
    ],
)
@pytest.mark.parametrize("num", [1, 50])
def test_the_guessed_encoding_reads_the_text(encoding: str, text: str, num: int) -> None:
    content = "\n".join([text] * num + [""])
    assert content.encode(encoding).decode(likely_encoding(content.encode(encoding)) or "ascii") == content


def test_damage_in_a_file_with_umlauts_is_no_other_encoding(tmp_path: Path) -> None:
    rows = [f"u{number},{number},Größe".encode() for number in range(100)]
    rows[:40] = [row.replace("ß".encode(), b"\xc3") for row in rows[:40]]
    log = read(tmp_path, HEAD + b"\n".join(rows))
    assert log.num_events == 60 and log.report.counts == {NOT_UTF8: 40}


def test_bytes_that_mean_nothing_in_an_encoding_cost_their_line(tmp_path: Path) -> None:
    content = "user,item,title\nü,1,x\n?,2,y\nc,3,z\n".encode("cp1252").replace(b"?", b"\x81")
    log = read(tmp_path, content, encoding="cp1252")
    assert kept(log) == [("ü", 1, "x"), ("c", 3, "z")]
    assert log.report.rows.select("row", "reason").rows() == [(2, NOT_UTF8)]


@pytest.mark.parametrize(
    "encoding", ["klingon", "rot13", "hex", "idna", "unicode_escape", "undefined", "\0", ""]
)
def test_an_encoding_that_is_none_is_refused(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected an encoding of text"):
        read(tmp_path, HEAD, encoding=encoding)


@pytest.mark.parametrize("separator", ["", ";;", '"', "\n", "\r", "\0", "ü"])
def test_a_separator_that_is_none_is_refused(separator: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a separator of one character"):
        read(tmp_path, HEAD, separator=separator)


def test_a_full_disk_is_said_to_be_full(tmp_path, monkeypatch) -> None:
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("intertask.data.scratch.Scratch.__init__", full)
    with pytest.raises(DataError, match=r"expected room for a plain copy in .*, found a full disk"):
        read(tmp_path, PACKED, "log.csv.gz")


def test_a_catalogue_loses_its_damaged_lines_alone(tmp_path: Path) -> None:
    text = 'item;title\n1;Tee\n2;"Töpfe\n1;Tee\n3;Größe;mehr\n4;Türen\n'
    (tmp_path / "items.csv").write_bytes(text.encode("cp1252"))
    catalogue = Catalogue.read(tmp_path / "items.csv", text=["title"], encoding="cp1252")
    assert catalogue.frame.rows() == [(1, "Tee"), (4, "Türen")]
    assert catalogue.report.rows.select("row", "reason").rows() == [
        (2, UNCLOSED),
        (3, "duplicate item"),
        (4, MORE_CELLS),
    ]


def test_nothing_is_left_behind(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    log = read(tmp_path, PACKED, "log.csv.gz")
    assert log.num_events == 3000
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_whose_mark_is_missing_is_refused(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(b"user,item\n1,2\n" * 10)
    with pytest.raises(DataError, match=f"log.csv encoding: expected text in {encoding}, found"):
        EventLog.read(file, encoding=encoding)


def test_a_line_that_cannot_be_read_names_its_row_and_no_column(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("this is\nno JSON\n")
    with pytest.raises(DataError) as caught:
        EventLog.read(tmp_path / "log.jsonl")
    assert "None" not in str(caught.value) and "\n" not in str(caught.value)
