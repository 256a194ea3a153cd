"""How many requests a key may make: a bucket for each key, in each process its share of them."""

import time
from dataclasses import dataclass

from intertask.service.refusals import BusyError
from intertask.service.tenants import Holder

BURST_SECONDS = 2.0  # whose requests may come at once
MOST_KEYS = 10_000


@dataclass
class _Bucket:
    """What a key has left, and when that was."""

    left: float
    at: float


class Limits:
    """Counts the requests of keys.

    Args:
        processes: That share the requests of a key.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._buckets: dict[str, _Bucket] = {}

    def count(self, holder: Holder) -> None:
        """Count a request.

        Raises:
            BusyError: The key has made too many.
        """
        if holder.per_second is None:
            return
        rate, moment = holder.per_second / self._processes, time.monotonic()
        most = max(1.0, rate * BURST_SECONDS)
        bucket = self._buckets.get(holder.key)
        if bucket is None:
            if len(self._buckets) >= MOST_KEYS:
                self._buckets.clear()
            bucket = self._buckets[holder.key] = _Bucket(most, moment)
        bucket.left = min(most, bucket.left + (moment - bucket.at) * rate)
        bucket.at = moment
        if bucket.left < 1:
            raise BusyError(
                "Authorization",
                f"at most {holder.per_second:g} requests a second with this key",
                "more",
                "try again in a second",
            )
        bucket.left -= 1
