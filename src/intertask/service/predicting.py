"""A model of rows in memory: tables, texts, pictures and recordings are answered as they come."""

import base64
import binascii
import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from intertask.errors import RequestError
from intertask.predictor import Predictor

Cell = str | int | float | bool | Sequence[str] | None
Answer = str | int | float | bool | list[object] | None


class Predicting:
    """A model of rows.

    Args:
        digest: Of its folder.
        predictor: Read from it.
    """

    def __init__(self, digest: str, predictor: Predictor) -> None:
        self.digest, self._predictor = digest, predictor
        self._files = {name for name, kind in predictor.facts.columns.items() if kind == "file"}
        self._one = threading.Lock()  # torch has one thread: requests wait for each other

    @classmethod
    def read(cls, folder: Path) -> "Predicting":
        """The model of a folder of the registry.

        Raises:
            ArtefactError: It is not as it was written.
        """
        return cls(folder.name, Predictor.load(folder))

    def predict(
        self, rows: Sequence[Mapping[str, Cell]], task: str | None, at_least: float | None
    ) -> list[dict[str, Answer]]:
        """The answers to rows, in their order; files come as their bytes in base64.

        Raises:
            RequestError: A row or an argument that cannot be.
        """
        given = [
            {
                name: self._bytes(value, place, name) if name in self._files else value
                for name, value in row.items()
            }
            for place, row in enumerate(rows)
        ]
        with self._one, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of columns that are missing: they are read as such
            found = self._predictor.predict(given, task=task, at_least=at_least).to_dicts()
        return [{name: _plain(value) for name, value in row.items()} for row in found]

    def _bytes(self, value: Cell, place: int, name: str) -> bytes | None:
        """The bytes of a file: never a path, which would be one of this machine."""
        if value is None:
            return None
        try:
            return base64.b64decode(value if isinstance(value, str) else "", validate=True) or b"\0"
        except (binascii.Error, ValueError):
            raise RequestError(
                f"rows.{place}.{name}",
                "the bytes of a file in base64",
                "another text",
                "send the file itself",
            ) from None


def _plain(value: object) -> Answer:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)
