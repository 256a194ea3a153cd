"""Vectors of whole texts from an encoder that does not learn, kept on disk by what they were made of."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from intertask.errors import IntertaskError, RecipeError
from intertask.storage import tensors
from intertask.storage.files import written_aside
from intertask.terminal.progress import bar
from intertask.texts import pretrained
from intertask.texts.configs import longest
from intertask.texts.pretrained import Checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENS = 4096  # encoded at once
KEY_BYTES = 16
Floats = NDArray[np.float32]


def embed(
    texts: Sequence[str | None],
    encoder: str | Path,
    *,
    pooling: Literal["mean", "first"] = "mean",
    max_length: int = 128,
    cache: Path | None = None,
) -> Floats:
    """A vector for each text, [n, D], as long as the encoder makes them.

    Equal texts are encoded once; a missing text is read as an empty one. What does not fit into
    `max_length` tokens is cut off.

    Args:
        texts: In any language that the encoder knows.
        encoder: A folder, or a name on the hub, as for `[input] pretrained`.
        pooling: The "mean" over the tokens of a text, or the "first" of them.
        max_length: Most tokens of a text, with those that the encoder adds; fewer where it reads fewer.
        cache: A folder that keeps vectors by the content of text and encoder; none are kept if left out.

    Raises:
        RecipeError: There is no such encoder; as `pretrained.find`.
        WriteError: The cache cannot be written to.
    """
    checkpoint = pretrained.find(encoder)
    if max_length < 3:
        raise RecipeError("max_length", "3 tokens or more", str(max_length))
    max_length = min(max_length, longest(checkpoint.config))
    wanted = {_key(text or ""): text or "" for text in texts}
    place = None if cache is None else Path(cache) / _settings(checkpoint, pooling, max_length)
    found = {} if place is None else _kept(place, wanted.keys())
    missing = {key: text for key, text in wanted.items() if key not in found}
    if missing:
        vectors = _encoded(list(missing.values()), checkpoint, pooling, max_length)
        if place is not None:
            _keep(place, list(missing), vectors)
        found |= zip(missing, vectors, strict=True)
    if not wanted:
        return np.zeros((0, int(checkpoint.config.get("hidden_size", 0))), np.float32)
    return np.stack([found[_key(text or "")] for text in texts])


def _key(text: str) -> bytes:
    # Half of a character may stand in a text of JSON; a tokenizer takes none.
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=KEY_BYTES).digest()


def _settings(checkpoint: Checkpoint, pooling: str, max_length: int) -> str:
    told = f"{checkpoint.digest} {pooling} {max_length}"
    return f"texts-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _encoded(texts: Sequence[str], checkpoint: Checkpoint, pooling: str, max_length: int) -> Floats:
    """Vectors of texts, those of like length together."""
    codes = coded(texts, checkpoint.tokenizer, max_length, int(checkpoint.config.get("pad_token_id") or 0))
    module = checkpoint.load()
    order = np.argsort([len(own) for own in codes], kind="stable")[::-1]
    made: list[tuple[NDArray[np.int64], Floats]] = []
    start = 0
    with torch.inference_mode(), bar("encoding texts", len(codes)) as move:
        while start < len(order):
            rows = order[start : start + max(1, TOKENS // len(codes[order[start]]))]
            made.append((rows, _pooled(module, [codes[row] for row in rows], pooling)))
            start += len(rows)
            move(len(rows))
    vectors = np.empty((len(codes), made[0][1].shape[1]), np.float32)
    for rows, own in made:
        vectors[rows] = own
    return vectors


def coded(texts: Sequence[str], tokenizer: "Tokenizer", max_length: int, padding: int) -> list[list[int]]:
    """The tokens of texts, at least one of each.

    Args:
        texts: To be read.
        tokenizer: Of the encoder.
        max_length: Most tokens of one; what is behind is cut off.
        padding: What stands for a text without any.
    """
    tokenizer.enable_truncation(max_length)
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    codes = [own.ids for own in tokenizer.encode_batch_fast(clean)]
    tokenizer.no_truncation()
    return [own or [padding] for own in codes]  # a tokenizer may have no marks of its own


def _pooled(module: torch.nn.Module, codes: Sequence[list[int]], pooling: str) -> Floats:
    lengths = torch.tensor([len(own) for own in codes])
    ids_BL = torch.zeros(len(codes), int(lengths.max()), dtype=torch.int64)
    for row, own in enumerate(codes):
        ids_BL[row, : len(own)] = torch.tensor(own)
    mask_BL = torch.arange(ids_BL.shape[1]) < lengths[:, None]
    hidden_BLD = module(input_ids=ids_BL, attention_mask=mask_BL.long())[0]
    if pooling == "first":
        return np.asarray(hidden_BLD[:, 0].numpy(), np.float32)
    total_BD = (hidden_BLD * mask_BL[..., None]).sum(1)
    return np.asarray((total_BD / lengths[:, None]).numpy(), np.float32)


def _kept(place: Path, wanted: Iterable[bytes]) -> dict[bytes, Floats]:
    """The vectors that a cache has of some keys; a damaged file has none."""
    want, found = set(wanted), dict[bytes, Floats]()
    for file in sorted(place.glob("*.safetensors")):
        try:
            form = tensors.forms(file)
            if form.keys() != {"keys", "vectors"} or form["keys"].shape[1:] != (KEY_BYTES,):
                continue
            arrays = tensors.read(file)
        except IntertaskError:
            continue
        for key, vector in zip(arrays["keys"], arrays["vectors"].astype(np.float32), strict=True):
            if (own := key.tobytes()) in want:
                found[own] = vector
    return found


def _keep(place: Path, keys: Sequence[bytes], vectors: Floats) -> None:
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
    codes = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
    with written_aside(place / f"{name}.safetensors") as aside:
        save_file({"keys": codes, "vectors": vectors}, aside)
