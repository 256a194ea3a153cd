"""Preparing batches ahead in threads, in the order in which they are asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def prefetched(make: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """make(job) for each job, in order; at most two results a worker wait in memory."""
    if workers == 0:
        yield from map(make, jobs)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        for job in jobs:
            waiting.append(pool.submit(make, job))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
