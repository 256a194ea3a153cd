"""Files with a word on each line."""

import gzip

import pytest

from intertask.data import token_lines
from intertask.data.token_lines import read
from intertask.errors import IntertaskError

LINES = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nTea\tNN\tB-NP\tO\n"


def test_sentences_documents_and_tags(tmp_path):
    (tmp_path / "a.txt").write_text(LINES + "-DOCSTART-\nlast NN O B-PER")
    found = read(tmp_path / "a.txt")
    assert found.words == [["EU", "rejects"], ["Tea"], ["last"]]
    assert found.tags == [["B-ORG", "O"], ["O"], ["B-PER"]]
    assert found.documents == [1, 1, 2]
    (tmp_path / "a.gz").write_bytes(gzip.compress(LINES.replace("\n", "\r\n").encode()))
    assert read(tmp_path / "a.gz", tag=1).tags == [["NNP", "VBZ"], ["NN"]]


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"EU B-ORG\nrejects\n", "line 2"), (b"\n\n", "none"), (b"\xff\xfe", "UTF-8")],
)
def test_other_files_are_refused_with_their_line(tmp_path, content, found):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(IntertaskError, match=found):
        read(tmp_path / "a.txt")
    (tmp_path / "a.gz").write_bytes(b"no gzip")
    with pytest.raises(IntertaskError, match="UTF-8"):
        read(tmp_path / "a.gz")
    with pytest.raises(IntertaskError, match="no such file"):
        read(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("text", "words", "tags", "columns"),
    [
        (
            "# sent_id = 1\n1-2\tdu\t_\n1\tde\tADP\n2\tle\tDET\n2.1\tx\tX\n",
            ["de", "le"],
            ["ADP", "DET"],
            (1, 2),
        ),
        ("#\tO\n#tea\tB\n", ["#", "#tea"], ["O", "B"], (0, -1)),
        ("# O\na B\n", ["#", "a"], ["O", "B"], (0, -1)),
        ("\u3000 O\n\u5434\tB\n", ["\u3000", "\u5434"], ["O", "B"], (0, -1)),
        ("a\u00a0b O\nc\x85d \u2028e\n", ["a\u00a0b", "c\x85d"], ["O", "\u2028e"], (0, -1)),
        ("a O\rb B\r", ["a", "b"], ["O", "B"], (0, -1)),
        ("O -DOCSTART-\n\nO a\n", ["a"], ["O"], (1, 0)),
    ],
)
def test_words_stay_as_they_are_and_what_is_no_word_is_passed_over(tmp_path, text, words, tags, columns):
    (tmp_path / "a.txt").write_bytes(text.encode())
    found = read(tmp_path / "a.txt", *columns)
    assert (found.words, found.tags) == ([words], [tags])


def test_a_damaged_and_a_swollen_archive_are_refused(tmp_path, monkeypatch):
    content = bytearray(gzip.compress(b"".join(b"w%d O\n" % n for n in range(500))))
    content[20:60] = b"\xff" * 40
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(IntertaskError, match="UTF-8"):
        read(tmp_path / "a.gz")
    monkeypatch.setattr(token_lines, "BYTES", 1_000)
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"a O\n" * 300))
    with pytest.raises(IntertaskError, match="unpacked"):
        read(tmp_path / "b.gz")
