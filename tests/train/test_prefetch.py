import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intertask.train.prefetch import prefetched


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(0, 4))
def test_results_come_in_the_order_of_the_jobs(delays, workers):
    def make(job):
        time.sleep(delays[job] / 2000)
        return job

    assert list(prefetched(make, range(len(delays)), workers)) == list(range(len(delays)))


@pytest.mark.parametrize("workers", [1, 3])
def test_few_results_wait_in_memory(workers):
    made = []
    results = prefetched(made.append, range(100), workers)
    next(results)
    time.sleep(0.05)
    assert 1 <= len(made) <= 2 * workers + 1
    results.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_reaches_the_loop_and_ends_the_threads(workers):
    def make(job):
        if job == 3:
            raise ValueError("job 3")
        return job

    seen = []
    with pytest.raises(ValueError, match="job 3"):
        for result in prefetched(make, range(9), workers):
            seen.append(result)
    assert seen == [0, 1, 2]
    assert not any("ThreadPool" in thread.name for thread in threading.enumerate())
