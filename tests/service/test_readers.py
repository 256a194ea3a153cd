"""Whatever of the service reads bytes of strangers answers, or refuses in one line.

`benchmarks/service/foreign.py` tries the same with atheris, and for long.
"""

import sys
from pathlib import Path

import pytest

from tests.fuzzing import fuzz

BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "service"
NAMES = (
    "body",
    "query",
    "cursor",
    "condition",
    "address",
    "settings",
    "recipe",
    "csv",
    "jsonl",
    "parquet",
    "zip",
)
ODD = b"\x00\xff\"'[]{}0,:\n9-.eN/%"


@pytest.fixture(scope="module")
def readers():
    sys.path.insert(0, str(BENCHMARKS))
    import readers

    sys.path.remove(str(BENCHMARKS))
    return readers.READERS


def changed(content, random):
    """The same bytes with up to three changes."""
    content = bytearray(content)
    for _ in range(random.integers(1, 4)):
        place = int(random.integers(len(content) + 1))
        match random.integers(4):
            case 0:
                content[place : place + 1] = random.bytes(1)
            case 1:
                content[place:place] = bytes([ODD[random.integers(len(ODD))]])
            case 2:
                del content[place : place + int(random.integers(1, 8))]
            case 3:
                content[place:place] = content[: int(random.integers(1, 20))]
    return bytes(content)


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes_are_read_or_refused(name, readers, tmp_path):
    reader = readers[name](tmp_path)
    answers = [reader(seed) for seed in reader.seeds]
    assert any(answers)
    if name in ("body", "query", "cursor", "address"):
        assert not all(answers)
    seen = []

    def one(random):
        seen.append(reader(changed(reader.seeds[random.integers(len(reader.seeds))], random)))

    slow = ("csv", "jsonl", "parquet")
    fuzz(one, inputs=6 if name in slow else 80, allowed=())
    assert False in seen or name in slow


def test_every_reader_is_tried(readers):
    assert set(NAMES) == readers.keys()
