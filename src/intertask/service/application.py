"""HTTP around the routes: who asks, what came, what goes back, and problems as RFC 9457 has them."""

import hashlib
import json
import re
import secrets
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route as HttpRoute

from intertask.errors import IntertaskError
from intertask.service import logs, metrics, pages
from intertask.service.database import Reading
from intertask.service.fields import Body
from intertask.service.job_bodies import FileAnswer, ImportQuery, ModelQuery, ReportAnswer
from intertask.service.openapi import document
from intertask.service.problems import problem
from intertask.service.reading import body_of, file_of, of_query, parsed
from intertask.service.refusals import (
    FaultError,
    ForbiddenError,
    RefusedError,
    UnavailableError,
    UnknownKeyError,
)
from intertask.service.routes import READ, ROUTES, Route
from intertask.service.running import Call, Running
from intertask.service.shedding import Shedding
from intertask.service.tenants import FIRST

# A report is a page without scripts: whoever opens it where a key is known gives nothing away.
_ALONE = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"}
# A key stands in the header: cookies, which a browser sends by itself, mean nothing here.
_PAGES: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"],
    "expose_headers": ["X-Request-Id", "Retry-After"],
}
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Life = Callable[[], AbstractAsyncContextManager[Running]]


def application(life: Life, origins: Sequence[str] = ()) -> Starlette:
    """The application.

    Args:
        life: Makes what it answers by, for as long as it runs.
        origins: Web pages of other addresses that may ask it from a browser.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Running]]:
        async with life() as running:
            app.state.running = running
            yield {"running": running}

    by_path: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, {})[route.method] = route
    routes = [_http(path, methods) for path, methods in by_path.items()]
    routes += [
        HttpRoute("/healthz", _health, methods=["GET"]),
        HttpRoute("/readyz", _health, methods=["GET"]),
        HttpRoute("/livez", _alive, methods=["GET"]),
        HttpRoute("/metrics", _metrics, methods=["GET"]),
        HttpRoute("/openapi.json", _openapi, methods=["GET"]),
    ]
    routes += pages.routes()
    handlers = {404: _no_route, 405: _no_route, 500: _fault}
    around = [Middleware(Shedding)]
    if origins:  # around all else: a page must be able to read a refusal as well
        around.insert(0, Middleware(CORSMiddleware, allow_origins=origins, **_PAGES))
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers, middleware=around)


def _http(path: str, methods: dict[str, Route]) -> HttpRoute:
    async def endpoint(request: Request) -> Response:
        running: Running = request.app.state.running
        running.under_way += 1
        try:
            return await one(request)
        finally:
            running.under_way -= 1

    async def one(request: Request) -> Response:
        name = request.headers.get("x-request-id", "")
        request_id = name if _REQUEST_ID.fullmatch(name) else secrets.token_hex(8)
        route = methods["GET" if request.method == "HEAD" else request.method]
        log = logs.Request(f"{route.method} {route.path}", request_id, request.app.state.running.logged)
        try:
            answer = await _answered(request, route)
        except ClientDisconnect:
            log.ended(499)
            return Response(status_code=400)
        except Exception as error:
            return _failed(error, log)
        log.ended(200)
        headers = {"x-request-id": request_id}
        if isinstance(answer, ReportAnswer):
            return FileResponse(answer.path, headers=headers | _ALONE, media_type="text/html")
        if isinstance(answer, FileAnswer):
            return FileResponse(answer.path, headers=headers, media_type="application/jsonl")
        return Response(
            answer.model_dump_json(exclude_unset=True, by_alias=True),
            media_type="application/json",
            headers=headers,
        )

    return HttpRoute(path, endpoint, methods=list(methods))


def _failed(error: Exception, log: logs.Request) -> Response:
    """A refusal, or a fault of ours: told in one line, its trace in the log."""
    if not isinstance(error, IntertaskError):
        traceback.print_exc()
        error = FaultError("service", "an answer", type(error).__name__)
    log.ended(error.status if isinstance(error, RefusedError) else RefusedError.status, str(error))
    return problem(error, log.name)


async def _answered(request: Request, route: Route) -> Body:
    running: Running = request.app.state.running
    holder = await running.holder(_bearer(request))
    running.limits.count(holder)
    if holder.role not in route.roles:
        raise ForbiddenError(
            "Authorization", f"a key of the role {' or '.join(route.roles)}", f"one of {holder.role}"
        )
    if route.in_query:
        call, body = Call(holder), of_query(request.scope["query_string"], route.body)
        if isinstance(body, ImportQuery | ModelQuery):
            upload = await file_of(request, running.place.uploads, body.name)
            call = Call(holder, upload=upload)
    else:
        content = await body_of(request)
        call = Call(holder)
        if route.idempotent:
            digest = hashlib.sha256(f"{route.method} {route.path} ".encode() + content).hexdigest()
            call = Call(holder, _idempotency(request), digest)
        body = parsed(content or b"{}", route.body)
    try:
        return await route.handler(running, call, body)
    except BaseException:
        if call.upload:  # no job has it
            (running.place.uploads / call.upload).unlink(missing_ok=True)
        raise


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise UnknownKeyError(
            "Authorization",
            "Bearer and a key",
            "nothing" if not scheme else "something else",
            "send the header Authorization: Bearer KEY",
        )
    return key.strip()


def _idempotency(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise RefusedError("Idempotency-Key", "1 to 255 printable characters of ASCII", "another text")
    return key


async def _no_route(request: Request, error: Exception) -> Response:
    known = sorted(route.method for route in ROUTES if route.path == request.url.path)
    status = getattr(error, "status_code", 404)
    found = IntertaskError(
        "request",
        f"{' or '.join(known)} {request.url.path}" if known else "a path of /openapi.json",
        f"{request.method} {request.url.path}",
    )
    answer = problem(found, secrets.token_hex(8))
    table = json.loads(bytes(answer.body)) | {
        "status": status,
        "title": "Not found" if status == 404 else "Method not allowed",
        "type": f"urn:intertask:problem:{'missing' if status == 404 else 'method'}",
    }
    return Response(json.dumps(table), status, media_type="application/problem+json")


async def _fault(request: Request, error: Exception) -> Response:
    return problem(FaultError("service", "an answer", type(error).__name__), secrets.token_hex(8))


async def _alive(_request: Request) -> Response:
    return Response('{"status":"ok"}', media_type="application/json")


async def _health(request: Request) -> Response:
    """Whether it can answer: a model is loaded and the store can be read."""
    running: Running = request.app.state.running
    try:
        await running.access.read(_readable)
    except UnavailableError:
        database = "unavailable"
    else:
        database = "ok"
    models = len(running.engine.models)
    well = database == "ok" and models > 0
    content = {"status": "ok" if well else "degraded", "database": database, "models": models}
    return Response(json.dumps(content), 200 if models else 503, media_type="application/json")


def _readable(store: Reading) -> None:
    store.rows("SELECT version FROM schema")


async def _metrics(request: Request) -> Response:
    """The numbers, for a key that may read."""
    running: Running = request.app.state.running
    try:
        holder = await running.holder(_bearer(request))
        if holder.role not in READ:
            raise ForbiddenError("Authorization", f"a key of the role {' or '.join(READ)}", holder.role)
        if holder.tenant != FIRST:  # the numbers are those of all tenants together
            raise ForbiddenError("Authorization", "a key of the first tenant", "one of another tenant")
    except RefusedError as error:
        return problem(error, secrets.token_hex(8))
    return Response(metrics.exposition(), headers={"content-type": metrics.MEDIA_TYPE})


async def _openapi(_request: Request) -> Response:
    return Response(document(), media_type="application/json")
