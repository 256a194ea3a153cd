"""How many requests a key may make: a bucket for each key, which all processes of the machine share.

The buckets lie in a file that every process maps. A connection stays with one process: were the rate shared
out among them, a client with one connection would have a part of it.
"""

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from intertask.service.refusals import BusyError
from intertask.service.tenants import Holder

BURST_SECONDS = 2.0  # whose requests may come at once
PLACES = 1 << 15  # for keys with a rate; where all that a key may have are taken, the oldest gives way
TRIED = 16
_BUCKET = struct.Struct("=Qdd")  # the key, what it has left, and when that was


class Limits:
    """Counts the requests of keys.

    Args:
        file: Of the buckets; made where it is missing.
    """

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._handle, PLACES * _BUCKET.size)
        self._map = mmap.mmap(self._handle, PLACES * _BUCKET.size)

    def close(self) -> None:
        """Let the file go."""
        self._map.close()
        os.close(self._handle)

    def count(self, holder: Holder) -> None:
        """Count a request.

        Raises:
            BusyError: The key has made too many.
        """
        if holder.per_second is None:
            return
        rate, moment = holder.per_second, time.monotonic()
        most = max(1.0, rate * BURST_SECONDS)
        name = int.from_bytes(blake2b(holder.key.encode(), digest_size=8).digest(), "big") or 1
        with self._locked():
            place, left, at = self._found(name, most, moment)
            # A moment that lies ahead is of before the machine was started.
            left = min(most, left + (moment - at) * rate) if at <= moment else most
            enough = left >= 1
            _BUCKET.pack_into(self._map, place, name, left - enough, moment)
        if not enough:
            raise BusyError(
                "Authorization",
                f"at most {rate:g} requests a second with this key",
                "more",
                "try again in a second",
            )

    def _found(self, name: int, most: float, moment: float) -> tuple[int, float, float]:
        """Where the bucket of a key is, and what is in it."""
        oldest = (moment + 1, 0)
        for step in range(TRIED):
            place = (name + step) % PLACES * _BUCKET.size
            key, left, at = _BUCKET.unpack_from(self._map, place)
            if key == name:
                return place, left, at
            if key == 0:
                return place, most, moment
            oldest = min(oldest, (at, place))
        return oldest[1], most, moment

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self._handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._handle, fcntl.LOCK_UN)
