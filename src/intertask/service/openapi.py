"""The interface as OpenAPI 3.1, written from the table of routes. The committed copy is `openapi.json`.

A change of it without a new `routes.VERSION` fails a test, so that no client is surprised.
"""

import json
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from intertask.service.fields import Body, NoBody
from intertask.service.job_bodies import FileAnswer, ReportAnswer
from intertask.service.routes import ROUTES, VERSION, Route

_TEMPLATE = "#/components/schemas/{model}"
_REFUSALS = {
    "400": "The request cannot be read; nothing was done.",
    "401": "No key, or one that nobody has.",
    "403": "The key's role may not do this.",
    "404": "Something that is named is not there.",
    "409": "The request contradicts what is stored.",
    "413": "The body is too large.",
    "422": "The Idempotency-Key came with another body before.",
    "429": "Too many requests at once; Retry-After says when to come again.",
    "503": "The database cannot be reached or written to; Retry-After says when to come again.",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457: what was expected, what was found and what to do.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "where": {"type": "string"},
        "expected": {"type": "string"},
        "found": {"type": "string"},
        "hint": {"type": "string"},
        "request": {"type": "string"},
    },
}


@cache
def document() -> str:
    """The document as JSON, in an order that does not change."""
    kinds = sorted(
        {kind for route in ROUTES for kind in (route.body, route.answer)} - {FileAnswer, ReportAnswer},
        key=lambda k: k.__name__,
    )
    # What comes and what goes of one class look alike but for defaults, which are required in what goes.
    modes = [(kind, "validation") for kind in kinds]
    _, definitions = models_json_schema(modes, ref_template=_TEMPLATE)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    table = {
        "openapi": "3.1.0",
        "info": {"title": "intertask", "version": VERSION},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions["$defs"] | {"Problem": _PROBLEM},
        },
    }
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.told,
        "operationId": f"{route.method.lower()}{route.path.replace('/v1', '').replace('/', '_')}",
        "description": f"Roles: {', '.join(route.roles)}.",
        "responses": {"200": {"description": "Done.", "content": _content(route)}}
        | {
            status: {
                "description": words,
                "content": {
                    "application/problem+json": {"schema": {"$ref": _TEMPLATE.format(model="Problem")}}
                },
            }
            for status, words in _REFUSALS.items()
            if status != "422" or route.idempotent
        },
    }
    parameters = _parameters(route)
    if parameters:
        operation["parameters"] = parameters
    if route.file:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    if not route.in_query and route.body is not NoBody:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _named(route.body)}},
        }
    return operation


def _content(route: Route) -> dict[str, Any]:
    if route.answer is ReportAnswer:
        return {"text/html": {"schema": {"type": "string"}}}
    if route.answer is FileAnswer:
        return {"application/jsonl": {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": _named(route.answer)}}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.in_query:
        schema = route.body.model_json_schema(ref_template=_TEMPLATE)
        required = schema.get("required", [])
        found = [
            {"name": name, "in": "query", "required": name in required, "schema": one}
            for name, one in schema.get("properties", {}).items()
        ]
    if route.idempotent:
        schema = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema})
    return found


def _named(kind: type[Body]) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(model=kind.__name__)}
