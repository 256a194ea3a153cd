"""Files with a word on each line."""

import gzip

import pytest

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
