"""One line of JSON for a request, on standard error: when, what, how long, how it ended. No key and no id."""

import json
import sys
import time
from dataclasses import dataclass, field

from intertask.service import metrics
from intertask.service.fields import spelled
from intertask.service.schema import now

SLOW_SECONDS = 1.0


@dataclass
class Request:
    """A request under way.

    Args:
        route: Its method and path.
        name: Its id.
        every: Whether it is written however it ends; else only where it failed or was slow.
    """

    route: str
    name: str
    every: bool = False
    began: float = field(default_factory=time.perf_counter)

    def ended(self, status: int, detail: str = "") -> None:
        """Count it, and write its line."""
        seconds = time.perf_counter() - self.began
        metrics.request(self.route, status).inc()
        metrics.seconds(self.route).observe(seconds)
        if self.every or status >= 500 or seconds > SLOW_SECONDS:
            line = {
                "time": spelled(now()),
                "request": self.name,
                "route": self.route,
                "status": status,
                "milliseconds": round(seconds * 1e3, 1),
            }
            # What a client sent may stand in the words of a refusal; of a fault they are ours.
            sys.stderr.write(json.dumps(line | ({"detail": detail} if status >= 500 else {})) + "\n")
            sys.stderr.flush()
