"""What is too much is refused by the connection itself, in the service's words; the connection goes on."""

import json
import socket
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
import uvicorn

from intertask.service.refusing import Refusing

ROUTE = "/v1/recommend"


@pytest.fixture
def server():
    """A server of two kinds of answers: its own, and refusals while it is full."""
    running = SimpleNamespace(
        engine=SimpleNamespace(full=True), place=SimpleNamespace(settings=SimpleNamespace(origins=()))
    )

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["running"] = running
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d bytes" % len(body)})

    config = uvicorn.Config(app, port=0, http=Refusing, log_level="error", lifespan="on", ws="none")
    made = uvicorn.Server(config)
    thread = threading.Thread(target=made.run)
    thread.start()
    end = time.monotonic() + 10
    while not made.started and time.monotonic() < end:
        time.sleep(0.01)
    port = made.servers[0].sockets[0].getsockname()[1]
    yield SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}", running=running, state=made.server_state)
    made.should_exit = True
    thread.join()


def test_a_refusal_says_what_the_service_says(server):
    with httpx.Client(base_url=server.url) as client:
        refused = client.post(ROUTE, json={"user": "u"})
        assert refused.status_code == 429 and refused.headers["retry-after"]
        assert refused.headers["content-type"] == "application/problem+json"
        table = refused.json()
        assert table["detail"].startswith("requests: expected at most 256 that wait")
        assert table["request"] == refused.headers["x-request-id"]
        assert client.post(ROUTE, json={"user": "u"}).json()["request"] != table["request"]


def test_a_connection_is_used_again_after_a_refusal(server):
    with httpx.Client(base_url=server.url) as client:
        for body in (b"", b"x" * 100_000, b"{}"):
            server.running.engine.full = True
            assert client.post(ROUTE, content=body).status_code == 429
            server.running.engine.full = False
            assert client.post(ROUTE, content=body).text == f"{len(body)} bytes"
        assert len(server.state.connections) == 1


def test_other_questions_are_handed_on(server):
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/v1/events", content=b"abc").text == "3 bytes"
        assert client.get("/healthz").status_code == 200
        assert client.get(ROUTE).status_code == 200
        server.running.place.settings.origins = ("https://shop.example",)
        assert (
            client.post(ROUTE, content=b"abc").text == "3 bytes"
        )  # `Shedding` says it, so that a page can read


def told(server, *requests: bytes) -> list[bytes]:
    """What comes back over one connection until it is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        for one in requests:
            connection.sendall(one)
            time.sleep(0.02)
        parts = b""
        while part := connection.recv(65_536):
            parts += part
    return [part for part in parts.split(b"HTTP/1.1 ") if part]


POST = b"POST /v1/recommend HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n%s\r\n{}"


def test_requests_that_come_at_once_are_answered_one_by_one(server):
    closing = POST % b"connection: close\r\n"
    assert [one[:3] for one in told(server, POST % b"" + POST % b"" + closing)] == [b"429"] * 3
    other = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
    first, *_ = told(server, other + POST % b"" + closing)
    assert first.startswith(b"200")  # nothing is answered before what came first


def test_a_connection_that_asks_to_be_closed_is_closed(server):
    (only,) = told(server, POST % b"connection: close\r\n")
    head, _, body = only.partition(b"\r\n\r\n")
    assert only.startswith(b"429") and b"content-length: %d" % len(body) in head
    assert json.loads(body)["status"] == 429


def test_a_body_that_comes_in_pieces_is_passed_over(server):
    head = b"POST /v1/recommend HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    closing = POST % b"connection: close\r\n"
    assert [one[:3] for one in told(server, head, b"3\r\nabc\r\n", b"0\r\n\r\n", closing)] == [b"429"] * 2


def test_whoever_hangs_up_is_forgotten(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /v1/recommend HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{")
        assert connection.recv(3) == b"HTT"
    end = time.monotonic() + 5
    while server.state.connections and time.monotonic() < end:
        time.sleep(0.01)
    assert not server.state.connections
