"""The content of a model's items as arrays: what was found stands in schema.json, its numbers here."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from intertask.artefact.folder import CONTENT, Folder
from intertask.content.described import Described
from intertask.content.reader import ContentReader, Found
from intertask.content.whitening import Whitening
from intertask.errors import ArtefactError
from intertask.storage import tensors
from intertask.storage.tensors import Form
from intertask.texts import pretrained
from intertask.texts.configs import refuse_extremes

LARGEST = 1e6  # a number of content or of a map; products of larger ones leave single precision


def write(described: Described, folder: Path) -> None:
    """Write the arrays."""
    whitening = described.reader.whitening
    arrays: dict[str, NDArray[np.generic]] = {
        "features": described.features_IF,
        "has": described.has_I,
        "evidence": described.evidence_I,
        "learned": described.learned_I,
    }
    if whitening is not None:
        arrays |= {"mean": whitening.mean_E, "map": whitening.map_EP}
    for place, one in enumerate(described.reader.turned.values()):
        arrays |= {f"mean {place}": one.mean_E, f"map {place}": one.map_EP}
    if described.reader.tokenizer:
        arrays["tokenizer"] = np.frombuffer(described.reader.tokenizer.encode(), np.uint8)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / CONTENT)


def read(folder: Folder, found: Found, num_items: int) -> Described:
    """Read them.

    Args:
        folder: Of the model.
        found: What its schema says.
        num_items: Of the vocabulary.

    Raises:
        IntertaskError: They are not as the schema says.
    """
    file = folder.file(CONTENT)
    there = tensors.forms(file)
    expected = {
        "features": Form("float32", (num_items, found.num_features)),
        "has": Form("bool", (num_items,)),
        "evidence": Form("int64", (num_items,)),
        "learned": Form("bool", (num_items,)),
    }
    if found.text:
        expected |= {
            "mean": Form("float32", (found.encoded,)),
            "map": Form("float32", (found.encoded, found.width)),
        }
    for place, (given, kept) in enumerate(found.vectors.values()):
        expected |= {
            f"mean {place}": Form("float32", (given,)),
            f"map {place}": Form("float32", (given, kept)),
        }
    if found.own is not None:
        refuse_extremes(found.own.config)
        made = found.own.config.get("hidden_size", found.own.config.get("dim"))
        if not found.text or made != found.encoded:
            raise ArtefactError(
                f"{folder.folder / 'schema.json'} described",
                f"texts whose vectors have {found.encoded:,} numbers, as the encoder makes them",
                f"{made!r} of them" if found.text else "no text",
            )
        expected["tokenizer"] = Form("uint8", (found.own.tokenizer,))
    tensors.refuse_others(file, there, expected, "the arrays of the schema")
    arrays = tensors.read(file, LARGEST)
    evidence = cast("NDArray[np.int64]", arrays["evidence"])
    if len(evidence) and evidence.min() < 0:
        raise ArtefactError(f"{file} evidence", "counts of events", "numbers that are none")
    floats = {name: cast("NDArray[np.float32]", array) for name, array in arrays.items()}
    whitening = Whitening(floats["mean"], floats["map"]) if found.text else None
    turned = {
        name: Whitening(floats[f"mean {place}"], floats[f"map {place}"])
        for place, name in enumerate(found.vectors)
    }
    return Described(
        ContentReader(found, whitening, _tokenizer(arrays, found, str(file)), turned),
        cast("NDArray[np.float32]", arrays["features"]),
        cast("NDArray[np.bool_]", arrays["has"]),
        evidence,
        cast("NDArray[np.bool_]", arrays["learned"]),
    )


def _tokenizer(arrays: Mapping[str, NDArray[np.generic]], found: Found, file: str) -> str:
    if found.own is None:
        return ""
    try:
        told = arrays["tokenizer"].tobytes().decode()
        tokenizer = pretrained.tokenizer_of(told)
    except ValueError as error:
        raise ArtefactError(f"{file} tokenizer", "a tokenizer as JSON", str(error)) from None
    codes, known = tokenizer.get_vocab(with_added_tokens=True).values(), found.own.config.get("vocab_size")
    if not isinstance(known, int) or max(codes, default=0) >= known:
        expected = f"tokens below {known!r}, for which there are vectors"
        raise ArtefactError(f"{file} tokenizer", expected, f"{max(codes, default=0):,}")
    return told
