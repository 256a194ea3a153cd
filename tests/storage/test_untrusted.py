import os
import socket
from pathlib import Path

import pytest

from intertask.errors import IntertaskError
from intertask.storage.untrusted import DEEPEST, open_regular, read_bytes, read_json, refuse_extremes, size_of


def odd_places(folder):
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "device").symlink_to("/dev/zero")
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(folder / "socket"))
    return {
        "pipe": "a pipe",
        "loop": "links in a circle",
        "device": "a device",
        "folder": "a folder",
        "socket": "a socket",
        "none": "no such file",
        "nul\0": "embedded null byte",
    }


def test_what_is_no_regular_file_is_refused_at_once_and_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket may have a hundred characters
    for name, found in odd_places(Path()).items():
        for read in (
            size_of,
            open_regular,
            lambda path: read_bytes(path, 10),
            lambda path: read_json(path, 10),
        ):
            with pytest.raises(IntertaskError, match=f"expected a file.*{found}"):
                read(Path(name))


def test_a_link_to_a_file_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"seven")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 5) == b"seven"


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(IntertaskError, match="expected a file of at most 4 bytes, found 1,048,576 MB"):
        read_bytes(tmp_path / "large", 4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1, "a": 2}', "each name of a table once, found 'a' twice"),
        ('{"a": [NaN]}', "a.0: expected a finite number, found nan"),
        ('{"a": -Infinity}', "expected a finite number, found -inf"),
        ('{"a": 1e999}', "expected a finite number, found inf"),
        ('{"a": ' + "9" * 400 + "}", "expected a number of 64 bits at most, found one of 1,329 bits"),
        ('{"a": ' + "9" * 5000 + "}", "expected numbers of 64 bits at most"),
        ("[" * 100_000, "expected at most 20 tables or lists in each other, found deeper ones"),
        ("[" * 30 + "]" * 30, "expected at most 20 tables or lists in each other, found deeper ones"),
        ('{"a": "\\u0000"}', "a: expected text, found text with a NUL character"),
        ('{"a\\ud800": 1}', "expected text in Unicode, found half of a character"),
        ("{", "expected JSON in UTF-8"),
        ("\udcff", "expected JSON in UTF-8"),
    ],
)
def test_json_that_no_file_of_ours_holds_is_refused(text, found, tmp_path):
    (tmp_path / "file.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(IntertaskError) as caught:
        read_json(tmp_path / "file.json", 1 << 20)
    assert found in str(caught.value)


def test_plain_json_is_read(tmp_path):
    (tmp_path / "file.json").write_text('{"ü": [1, 2.5, null, true, "x"], "b": {"c": -9223372036854775808}}')
    read = read_json(tmp_path / "file.json", 1 << 20)
    assert read == {"ü": [1, 2.5, None, True, "x"], "b": {"c": -(2**63)}}


def test_tables_are_as_deep_as_allowed_and_no_deeper():
    value: object = 1
    for _ in range(DEEPEST):
        value = [value]
    refuse_extremes(value, "file")
    with pytest.raises(IntertaskError, match="deeper ones"):
        refuse_extremes([value], "file")
