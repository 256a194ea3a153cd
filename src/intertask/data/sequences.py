"""Every user's events in order, as flat arrays plus offsets; in memory, or mapped from a folder.

Knows nothing of ids, files of events, splits or tensors. There is never a padded users x length copy.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intertask.errors import DataError, IntertaskError
from intertask.storage.files import Contents, written_aside
from intertask.storage.untrusted import size_of

if TYPE_CHECKING:  # it knows tensors, which these arrays do without
    from intertask.data.seam import RowFields

SEQUENCES = Contents(
    "prepared sequences",
    ("sizes.npy", "offsets.npy", "items.npy", "behaviours.npy"),
    ("times.npy", "label.*.npy"),
)

LATEST = 2**63 // 10**6  # seconds from 1970; further away, microseconds would leave 64 bits
MOST_BEHAVIOURS = 256  # that a byte can tell apart
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Sequences:
    """Users' events laid one behind the other, each user's in the order in which they happened.

    Args:
        offsets: int64 [users + 1]; the events of user u stand at offsets[u] to offsets[u + 1].
        items: int32 [events], 0 to num_items - 1.
        behaviours: uint8 [events], 0 to num_behaviours - 1.
        times: int64 [events], seconds since 1970, never falling within a user; None where the log has
            an order but no clock.
        labels: For each label column, float32 [events]; NaN where the label is missing.
        beside: What inputs beside the events read of each user, by their names; it stands in no file.
        num_items: Size of the item vocabulary.
        num_behaviours: Size of the behaviour vocabulary.
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    behaviours: NDArray[np.uint8]
    times: NDArray[np.int64] | None
    num_items: int
    num_behaviours: int
    labels: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    beside: Mapping[str, "RowFields"] = field(default_factory=dict)

    @property
    def num_users(self) -> int:
        """Number of users, those without events included."""
        return len(self.offsets) - 1

    @property
    def num_events(self) -> int:
        """Number of events of all users."""
        return len(self.items)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events of each user, int64 [users]."""
        return np.diff(self.offsets)

    def users_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The user of each event, given its place in the flat arrays."""
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def check(self, where: str) -> None:
        """Refuse arrays that are no sequences; they are read through once.

        Args:
            where: The folder or file that they come from.

        Raises:
            DataError: Names the first array that is not as the class says.
        """
        events = len(self.items)
        forms: dict[str, tuple[NDArray[np.generic], type[np.generic], int]] = {
            "offsets": (self.offsets, np.int64, max(1, len(self.offsets))),
            "items": (self.items, np.int32, events),
            "behaviours": (self.behaviours, np.uint8, events),
            **({} if self.times is None else {"times": (self.times, np.int64, events)}),
            **{f"label.{name}": (label, np.float32, events) for name, label in self.labels.items()},
        }
        for name, (array, dtype, length) in forms.items():
            if array.dtype != dtype or array.shape != (length,):
                raise DataError(
                    f"{where} {name}",
                    f"{np.dtype(dtype)} [{length}]",
                    f"{array.dtype} {list(array.shape)}",
                )
        if self.offsets[0] != 0 or self.offsets[-1] != events or (np.diff(self.offsets) < 0).any():
            raise DataError(f"{where} offsets", f"numbers that rise from 0 to {events}", "others")
        _refuse_outside(f"{where} items", self.items, 0, self.num_items - 1)
        _refuse_outside(f"{where} behaviours", self.behaviours, 0, self.num_behaviours - 1)
        if self.times is not None:
            _refuse_outside(f"{where} times", self.times, -LATEST, LATEST)
            if _falls(self.times, self.offsets):
                raise DataError(f"{where} times", "times that never fall within a user", "one that does")

    def digest(self) -> str:
        """SHA-256 over everything, the data's part of a protocol fingerprint."""
        total = hashlib.sha256(f"{self.num_items} {self.num_behaviours}".encode())
        for name, array in sorted(self._arrays().items()):
            total.update(name.encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def write(self, folder: Path) -> None:
        """Write one .npy file for each array, all or nothing."""
        with written_aside(folder, SEQUENCES.refuse) as aside:
            aside.mkdir()
            np.save(aside / "sizes.npy", np.array([self.num_items, self.num_behaviours]))
            for name, array in self._arrays().items():
                np.save(aside / f"{name}.npy", array)

    @classmethod
    def open(cls, folder: Path) -> "Sequences":
        """Map the arrays of a folder that `write` made; they are looked through once.

        Raises:
            DataError: The folder is missing or incomplete, or the arrays are no sequences.
        """
        try:
            arrays = {file.stem: _mapped(file) for file in sorted(Path(folder).glob("*.npy"))}
            num_items, num_behaviours = _sizes(arrays.pop("sizes"))
            last = arrays["offsets"].reshape(-1)[-1:].tolist() or [0]
            for name, array in arrays.items():
                if name != "offsets" and last != [len(array)]:
                    raise ValueError(f"{len(array)} events in {name}.npy and {last[0]} in offsets.npy")
            sequences = cls(
                offsets=arrays.pop("offsets"),
                items=arrays.pop("items"),
                behaviours=arrays.pop("behaviours"),
                times=arrays.pop("times", None),
                num_items=num_items,
                num_behaviours=num_behaviours,
                labels={_label(name): array for name, array in arrays.items()},
            )
        except KeyError as error:
            raise DataError(
                str(folder), "a folder of prepared sequences", f"no {error.args[0]}.npy", "prepare it again"
            ) from None
        except (OSError, ValueError, TypeError, OverflowError, EOFError) as error:
            raise DataError(
                str(folder), "a folder of prepared sequences", str(error), "prepare it again"
            ) from None
        except IntertaskError as error:
            raise DataError(error.where, error.expected, error.found, error.hint) from None
        sequences.check(str(folder))
        return sequences

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        arrays: dict[str, NDArray[np.generic]] = {
            "offsets": self.offsets,
            "items": self.items,
            "behaviours": self.behaviours,
        }
        if self.times is not None:
            arrays["times"] = self.times
        return arrays | {_file_of(name): array for name, array in self.labels.items()}


def _mapped(file: Path) -> Any:  # noqa: ANN401  (what it holds is checked when all are there)
    size_of(file)  # a pipe would be waited for without end
    return np.load(file, mmap_mode="r", allow_pickle=False)


def _sizes(array: NDArray[np.generic]) -> tuple[int, int]:
    if array.shape != (2,) or array.dtype.kind != "i":
        raise ValueError(f"{array.dtype} {list(array.shape)} in sizes.npy")
    items, behaviours = (int(size) for size in array.tolist())
    if not 0 <= items < 2**31 or not 0 <= behaviours <= MOST_BEHAVIOURS:
        raise ValueError(f"{items} items and {behaviours} behaviours in sizes.npy")
    return items, behaviours


def _file_of(label: str) -> str:
    """The name of a label's file; a column may be called "stars/5", a file may not."""
    return f"label.{label.replace('%', '%25').replace('/', '%2F')}"


def _label(file: str) -> str:
    return file.removeprefix("label.").replace("%2F", "/").replace("%25", "%")


def _refuse_outside(where: str, array: NDArray[np.integer], low: int, high: int) -> None:
    if not len(array):
        return
    for found in (int(array.min()), int(array.max())):
        if not low <= found <= high:
            raise DataError(where, f"numbers of {low} to {high}", str(found))


def _falls(times: NDArray[np.int64], offsets: NDArray[np.int64]) -> bool:
    """Whether a time is before that of the user's event before; in pieces, so that little is copied."""
    for start in range(0, len(times) - 1, _CHUNK):
        piece = np.asarray(times[start : start + _CHUNK + 1])
        falls = np.flatnonzero(piece[1:] < piece[:-1]) + start + 1
        if len(falls) and not np.isin(falls, offsets).all():
            return True
    return False


def from_lists(
    items: list[list[int]],
    num_items: int | None = None,
    behaviours: list[list[int]] | None = None,
    times: list[list[int]] | None = None,
    labels: Mapping[str, list[list[float]]] | None = None,
) -> Sequences:
    """Sequences from one list for each user, for histories that come with a request and for tests."""
    flat = np.array([item for user in items for item in user], dtype=np.int32)
    kinds = [kind for user in behaviours or [] for kind in user]
    behaviour = np.array(kinds, dtype=np.uint8) if behaviours is not None else np.zeros(len(flat), np.uint8)
    return Sequences(
        offsets=np.cumsum([0, *map(len, items)], dtype=np.int64),
        items=flat,
        behaviours=behaviour,
        times=None if times is None else np.array([t for user in times for t in user], dtype=np.int64),
        num_items=num_items if num_items is not None else int(flat.max(initial=-1)) + 1,
        num_behaviours=int(behaviour.max(initial=0)) + 1,
        labels={
            name: np.array([value for user in rows for value in user], dtype=np.float32)
            for name, rows in (labels or {}).items()
        },
    )
