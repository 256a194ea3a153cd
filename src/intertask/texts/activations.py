"""What frozen layers make of texts, kept on disk by content, so that each text is encoded once.

A text is known by its tokens, a folder by the weights and the number of the layers. Files are added and never
changed; a damaged one is passed over.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from intertask.errors import IntertaskError
from intertask.storage import tensors
from intertask.storage.files import written_aside

KEY_BYTES = 16
WAITING_BYTES = 64 << 20  # of memory before a file is written


class Activations:
    """States of texts by their tokens, float32 [L, D] each.

    Args:
        folder: Of the layers that make them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[bytes, tuple[int, int, int]] = {}  # file, first and behind the last token
        self.files: list[object] = []
        self.waiting: dict[bytes, NDArray[np.float32]] = {}
        self.bytes = 0
        for file in sorted(folder.glob("*.safetensors")):
            self._open(file)

    def _open(self, file: Path) -> None:
        try:
            form = tensors.forms(file)
            if form.keys() != {"keys", "ends", "states"} or form["states"].dtype != "float32":
                return
            opened = safe_open(file, framework="pt")
            keys, ends = (
                opened.get_tensor(name).numpy()  # type: ignore[no-untyped-call]
                for name in ("keys", "ends")
            )
            if len(keys) != len(ends) or not len(ends) or ends[-1] != form["states"].shape[0]:
                return
        except (IntertaskError, OSError, SafetensorError):
            return
        starts = np.concatenate([[0], ends[:-1]])
        place = len(self.files)
        self.files.append(opened.get_slice("states"))  # type: ignore[no-untyped-call]
        for key, start, end in zip(keys, starts.tolist(), ends.tolist(), strict=True):
            self.places[key.tobytes()] = (place, start, end)

    @staticmethod
    def key(codes: Tensor) -> bytes:
        """By which a text is known."""
        return hashlib.blake2b(codes.cpu().numpy().tobytes(), digest_size=KEY_BYTES).digest()

    def get(self, key: bytes) -> Tensor | None:
        """The states of a text; None where they are not known."""
        if (held := self.waiting.get(key)) is not None:
            return torch.from_numpy(held)
        if (place := self.places.get(key)) is None:
            return None
        file, start, end = place
        return self.files[file][start:end]  # type: ignore[index, no-any-return]

    def put(self, key: bytes, states_LD: Tensor) -> None:
        """Remember the states of a text."""
        if key in self.waiting or key in self.places:
            return
        held = states_LD.detach().float().cpu().numpy().copy()
        self.waiting[key] = held
        self.bytes += held.nbytes
        if self.bytes >= WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has been remembered.

        Raises:
            WriteError: The folder cannot be written to.
        """
        if not self.waiting:
            return
        keys = b"".join(self.waiting)
        file = self.folder / f"{hashlib.sha256(keys).hexdigest()[:32]}.safetensors"
        arrays: dict[str, NDArray[Any]] = {
            "keys": np.frombuffer(keys, np.uint8).reshape(-1, KEY_BYTES),
            "ends": np.cumsum([len(own) for own in self.waiting.values()]).astype(np.int64),
            "states": np.concatenate(list(self.waiting.values())),
        }
        with written_aside(file) as aside:
            save_file(arrays, aside)
        self.waiting, self.bytes = {}, 0
        self._open(file)
