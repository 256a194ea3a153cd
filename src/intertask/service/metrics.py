"""What Prometheus is told: requests, how long they took, events, lists. Of all processes, whichever is asked.

With PROMETHEUS_MULTIPROC_DIR set, as the supervisor does before a process begins, each keeps its numbers in
files of that folder. No number holds an id of anybody.
"""

import os
from functools import lru_cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter("intertask_requests", "Requests by route and status.", ["route", "status"])
SECONDS = Histogram("intertask_request_seconds", "How long requests took.", ["route"], buckets=_SECONDS)
EVENTS = Counter("intertask_events", "Events that came, by what became of them.", ["outcome"])
LISTS = Counter("intertask_lists", "Lists that were given, by what they lacked.", ["degraded"])
KEPT = Counter("intertask_answers", "Lists that were given, by whether they were kept.", ["outcome"])
IDS = Counter(
    "intertask_unknown_ids", "Ids of requests that changed nothing, by where they stood.", ["where"]
)

# A child is found by its labels at each call otherwise, which takes a twentieth of a short request.
request = lru_cache(1_024)(REQUESTS.labels)
seconds = lru_cache(1_024)(SECONDS.labels)
events = lru_cache(16)(EVENTS.labels)
lists = lru_cache(16)(LISTS.labels)


def exposition() -> bytes:
    """The numbers in the format of Prometheus."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
