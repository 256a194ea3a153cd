"""Errors as `application/problem+json` (RFC 9457)."""

import json
import re

from starlette.responses import Response

from intertask.errors import IntertaskError
from intertask.service.refusals import RefusedError

RETRY_SECONDS = 1


def problem(error: IntertaskError, request_id: str) -> Response:
    """An error as `application/problem+json`."""
    kind = type(error) if isinstance(error, RefusedError) else RefusedError
    slug = re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__.removesuffix("Error")).lower()
    table = {
        "type": f"urn:intertask:problem:{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": str(error),
        "where": error.where,
        "expected": error.expected,
        "found": error.found,
        "hint": error.hint,
        "request": request_id,
    }
    headers = {"x-request-id": request_id}
    if kind.status in (429, 503):
        headers["retry-after"] = str(RETRY_SECONDS)
    if kind.status == 401:
        headers["www-authenticate"] = "Bearer"
    content = json.dumps(table, ensure_ascii=True)
    return Response(content, kind.status, headers, "application/problem+json")
