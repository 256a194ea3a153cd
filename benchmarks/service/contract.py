"""Requests that schemathesis makes of the committed interface, `openapi.json`: allowed and forbidden ones.

Every answer must be no fault of the service, come in time, and be one that the document has for its route:
its status, its type, its headers and the fields of its body.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import schemathesis
from asker import Table
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE)
SHOWN = 20
# Neither may the key go, nor may a version or a training come between.
LEFT_OUT = ("POST /v1/keys/revoke", "POST /v1/models/publish", "POST /v1/train", "POST /v1/tune")

Send = Callable[..., Any]  # `request` of a client of httpx, or of Starlette's tests


class Contract:
    """Sends what schemathesis makes, and counts what comes back.

    Args:
        send: Of a client; raises `httpx.TimeoutException` where no answer comes.
        key: That every request comes with.
    """

    def __init__(self, send: Send, key: str) -> None:
        self._send, self._key = send, key
        self.statuses: Counter[int] = Counter()
        self.broken: Counter[str] = Counter()
        self.hung, self.slowest = 0, 0.0

    def try_all(self, examples: int, seed: int, only: Collection[str] | None = None) -> None:
        """So many requests of each route that the document allows, and so many that it forbids.

        Args:
            examples: So many.
            seed: Of what is made.
            only: Routes, as `POST /v1/events`; all that may be tried if left out.
        """
        document = schemathesis.openapi.from_path(DOCUMENT)
        for found in document.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if operation.label not in LEFT_OUT if only is None else operation.label in only:
                for mode in MODES:
                    self._try(operation.as_strategy(generation_mode=mode), examples, seed)

    def _try(self, cases: SearchStrategy[schemathesis.Case[Any]], examples: int, seed: int) -> None:
        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(cases)
        def each(case: schemathesis.Case[Any]) -> None:
            self._one(case)

        each()

    def _one(self, case: schemathesis.Case[Any]) -> None:
        parts = case.as_transport_kwargs(base_url="", headers={"Authorization": f"Bearer {self._key}"})
        content = json.dumps(parts["json"]).encode() if "json" in parts else parts.get("data", b"")
        began = time.monotonic()
        try:
            answer = self._send(
                parts["method"],
                parts["url"],
                params=parts["params"],
                headers=dict(parts["headers"]),
                content=content,
            )
        except httpx.InvalidURL:  # a query of over 65,536 characters, which the client does not send
            return
        except httpx.TimeoutException:
            self.hung += 1
            return
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            for one in failures.exceptions:
                self.broken[f"{case.operation.label}: {answer.status_code}: {type(one).__name__}: {one}"] += 1

    def table(self) -> Table:
        """What was counted."""
        return {
            "requests": sum(self.statuses.values()) + self.hung,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "hung": self.hung,
            "slowest_seconds": round(self.slowest, 2),
            "broken": dict(self.broken.most_common(SHOWN)),
            "met": not self.hung and not self.broken,
        }
