"""The page to try a service on, and the reference of its routes: rendered here, with no word of a user.

What they show of users they fetch by the routes that everybody uses, with the key that the visitor has.
Scripts and styles come from this service alone (Content-Security-Policy).
"""

import json
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intertask.service import openapi
from intertask.service.database import Reading
from intertask.service.refusals import UnavailableError
from intertask.service.running import Running

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_KINDS = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_PLAIN = {"integer": 1, "number": 1.0, "boolean": True}
_DEEPEST = 4  # tables in each other, in an example


def routes() -> list[Route]:
    """The routes of the pages."""
    return [
        Route("/", _page, methods=["GET"]),
        Route("/reference", _reference, methods=["GET"]),
        Route("/page/{name}", _file, methods=["GET"]),
    ]


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("intertask.service", "pages")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def _rendered(name: str, **values: object) -> Response:
    content = _templates().get_template(name).render(**values)
    return Response(content, headers=HEADERS, media_type="text/html; charset=utf-8")


async def _page(request: Request) -> Response:
    """Health, and a form to ask for a list."""
    running: Running = request.app.state.running
    try:
        await running.access.read(_readable)
        database = True
    except UnavailableError:
        database = False
    models = len(running.engine.models)
    return _rendered("page.html", database=database, models=models, well=database and models > 0)


async def _reference(_request: Request) -> Response:
    return _rendered("reference.html", operations=operations())


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _KINDS:
        return Response(status_code=404)
    content = resources.files("intertask.service.pages").joinpath(name).read_bytes()
    return Response(content, headers=HEADERS | {"content-type": _KINDS[name]})


def _readable(store: Reading) -> None:
    store.rows("SELECT version FROM schema")


@cache
def operations() -> list[dict[str, Any]]:
    """Each operation with an example of what it takes."""
    document = json.loads(openapi.document())
    schemas = document["components"]["schemas"]
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            example = None if body is None else json.dumps(_example(body["schema"], schemas, 0), indent=2)
            query = [one for one in operation.get("parameters", []) if one["in"] == "query"]
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation["summary"],
                    "roles": operation["description"],
                    "example": example,
                    "fields": [] if body is None else _fields(body["schema"], schemas),
                    "query": [(one["name"], one["required"]) for one in query],
                    "file": "application/octet-stream" in operation.get("requestBody", {}).get("content", {}),
                }
            )
    return found


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return _resolved(schema["anyOf"][0], schemas)
    return schema


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str, bool]]:
    whole = _resolved(schema, schemas)
    required = whole.get("required", [])
    return [
        (name, str(_resolved(part, schemas).get("type", "text")), name in required)
        for name, part in whole.get("properties", {}).items()
    ]


def _example(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> object:
    whole = _resolved(schema, schemas)
    if "enum" in whole or "const" in whole:
        return whole.get("const", whole.get("enum", [None])[0])
    if whole.get("type") == "object" and depth < _DEEPEST:
        parts = whole.get("properties", {})
        names = [name for name in whole.get("required", []) if name in parts]
        return {name: _example(parts[name], schemas, depth + 1) for name in names}
    if whole.get("type") == "array":
        return [_example(whole.get("items", {}), schemas, depth + 1)]
    text = "2026-12-01T10:00:00Z" if whole.get("format") == "date-time" else "..."
    return _PLAIN.get(str(whole.get("type")), text)
