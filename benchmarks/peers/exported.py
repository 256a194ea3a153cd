"""The data that every library is given: plain CSV files of codes, written once.

Knows numpy alone, since it is read in the environment of every peer.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Exported:
    """Training events, user by user in order, and one validation target for each user that has one.

    Args:
        offsets: int64 [users + 1]; the training events of user u stand at offsets[u] to offsets[u + 1].
        items: int64 [events], codes from 0.
        target_users: int64 [targets].
        target_items: int64 [targets].
        num_items: Size of the catalogue.
        max_length: Longest history that a model reads.
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.int64]
    target_users: NDArray[np.int64]
    target_items: NDArray[np.int64]
    num_items: int
    max_length: int

    @property
    def num_users(self) -> int:
        """Number of users."""
        return len(self.offsets) - 1

    @property
    def users(self) -> NDArray[np.int64]:
        """The user of each training event."""
        return np.repeat(np.arange(self.num_users), np.diff(self.offsets))

    @property
    def orders(self) -> NDArray[np.int64]:
        """The place of each training event in its user's history."""
        return np.arange(len(self.items)) - self.offsets[self.users]

    def history(self, user: int) -> NDArray[np.int64]:
        """The training items of a user, oldest first."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def write(self, folder: Path) -> None:
        """Write train.csv, validation.csv and sizes.json."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "train.csv", {"user": self.users, "item": self.items, "order": self.orders})
        _write(folder / "validation.csv", {"user": self.target_users, "item": self.target_items})
        sizes = {"users": self.num_users, "items": self.num_items, "max_length": self.max_length}
        (folder / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Exported":
        """Read what `write` wrote."""
        sizes = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
        users, items, _ = _read(folder / "train.csv")
        counts = np.bincount(users, minlength=sizes["users"])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        target_users, target_items = _read(folder / "validation.csv")
        return cls(offsets, items, target_users, target_items, sizes["items"], sizes["max_length"])


def left_padded(data: Exported, users: NDArray[np.int64], length: int, padding: int) -> NDArray[np.int64]:
    """The last items of each user, padded on the left, [users, length]."""
    rows = np.full((len(users), length), padding, np.int64)
    for row, user in zip(rows, users.tolist(), strict=True):
        recent = data.history(user)[-length:]
        row[length - len(recent) :] = recent
    return rows


def _write(file: Path, columns: dict[str, NDArray[np.int64]]) -> None:
    table = np.stack(list(columns.values()), axis=1)
    np.savetxt(file, table, fmt="%d", delimiter=",", header=",".join(columns), comments="")


def _read(file: Path) -> NDArray[np.int64]:
    return np.loadtxt(file, dtype=np.int64, delimiter=",", skiprows=1, ndmin=2).T.copy()
