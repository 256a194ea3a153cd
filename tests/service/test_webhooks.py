"""Webhooks are signed, tried again, and reach no machine of a private network unless it is allowed."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from intertask.service import delivering, networks, webhooks
from intertask.service.jobs import AddJob, MoveJob, TakeJob
from intertask.service.versions import NEXT, AddVersion, Raise
from intertask.service.webhooks import DeleteWebhook, Delivered, PutWebhook, checked_url


@pytest.fixture
def listener():
    """A machine that hears; it answers as it is told."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.path, dict(self.headers), body))
            self.send_response(server.status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.heard = 200, heard
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(store, command):
    with store.transaction():
        return command.run(store)


def put(store, url, tenant=1):
    return run(store, PutWebhook(tenant=tenant, name="shop", url=url, secret="whsec_x"))


def test_what_happens_is_told_signed_and_once(store, listener):
    put(store, f"http://127.0.0.1:{listener.server_port}/hook?a=1")
    put(store, "http://other.example/", tenant=2)
    run(store, AddVersion(tenant=1, digest="d"))
    run(store, Raise(tenant=1, alias=NEXT + "active", version=1))  # not yet
    run(store, Raise(tenant=1, version=1))
    job = run(store, AddJob(tenant=1, what="export"))
    run(store, TakeJob(worker="w", kinds=("export",)))
    run(store, MoveJob(job=job.job, worker="w"))
    run(store, MoveJob(job=job.job, worker="w", state="done", result={}))
    found = webhooks.due(store)
    assert [json.loads(one.body)["event"] for one in found] == ["model.published", "job.done"]
    for one in found:
        assert delivering.told(one, private=True)
        run(store, Delivered(delivery=one.delivery, heard=True))
    assert webhooks.due(store) == []
    path, headers, body = listener.heard[0]
    assert path == "/hook?a=1" and json.loads(body)["version"] == 1
    moment, signature = (part.partition("=")[2] for part in headers["intertask-signature"].split(","))
    expected = hmac.digest(b"whsec_x", f"{moment}.".encode() + body, hashlib.sha256).hex()
    assert signature == expected and headers["intertask-delivery"] == found[0].delivery


def test_what_is_not_heard_is_tried_again_later_and_not_forever(store, listener, monkeypatch):
    put(store, f"http://127.0.0.1:{listener.server_port}/")
    with store.transaction():
        webhooks.emit(store, 1, "job.done", {})
    (one,) = webhooks.due(store)
    for status in (500, 302, 404):
        listener.status = status
        assert not delivering.told(one, private=True)
    assert {path for path, _, _ in listener.heard} == {"/"}  # nobody is followed elsewhere
    clock = [webhooks.now()]
    monkeypatch.setattr(webhooks, "now", lambda: clock[0])
    waits = []
    while webhooks.due(store):
        run(store, Delivered(delivery=one.delivery, heard=False))
        waits.append(0)
        while not webhooks.due(store) and waits[-1] < 5_000:
            clock[0] += 1_000_000
            waits[-1] += 1
    assert waits[:-1] == [10, 20, 40, 80, 160, 320, 640] and len(waits) == webhooks.TRIES
    assert store.rows("SELECT count(*) FROM deliveries") == [(0,)]


def test_machines_of_private_networks_hear_nothing(store, listener):
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0", "2130706433"):
        put(store, f"http://{host}:{listener.server_port}/")
        with store.transaction():
            webhooks.emit(store, 1, "job.done", {})
        for one in webhooks.due(store):
            assert not delivering.told(one, private=False), host
        run(store, DeleteWebhook(tenant=1, name="shop"))
        assert webhooks.due(store) == []
    assert listener.heard == []


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),  # the first one, translated
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("224.0.0.1", False),
        ("169.254.169.254", False),
    ],
)
def test_an_address_is_open_with_the_one_that_it_leads_to(address, is_open):
    assert networks.is_open(address) == is_open


def test_a_receiver_that_drips_is_left_after_a_while(store, monkeypatch):
    monkeypatch.setattr(delivering, "WHOLE", 0.3)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    connection.sendall(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        put(store, f"http://127.0.0.1:{server.getsockname()[1]}/")
        with store.transaction():
            webhooks.emit(store, 1, "job.done", {})
        (one,) = webhooks.due(store)
        assert not delivering.told(one, private=True)  # and comes back at all
        ended.set()
        thread.join()


def test_a_fault_at_one_delivery_does_not_end_the_others(monkeypatch, capsys):
    class Store:
        asked = 0

        async def read(self, _what):
            self.asked += 1
            raise RuntimeError("a fault")

    async def some() -> int:
        store = Store()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(delivering.deliver(store, private=False), 0.2)
        return store.asked

    monkeypatch.setattr(delivering, "SECONDS", 0.01)
    assert asyncio.run(some()) > 1
    assert "a fault" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop",
        "file:///etc/passwd",
        "ftp://x/",
        "http://",
        "http://a:b@x/",
        "http://x:0/",
        "http://x:99999/",
        "http://x/#y",
        "http://x/\r\nhost: y",
        "http://ü/",
        "http://[x/",
        "gopher://x",
        "http://x y/",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(Exception, match="url: expected an address such as https://"):
        checked_url(url)


def test_a_private_address_is_refused_when_it_is_set_and_a_name_is_not(client):
    hosts = ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"]
    hosts += ["2130706433", "0x7f.1", "127.1"]
    for host in hosts:
        refused = client.put("/v1/webhooks", json={"name": "own", "url": f"http://{host}:80/"})
        assert refused.status_code == 400, host
        assert "private_webhooks = true" in refused.json()["detail"]
    assert client.put("/v1/webhooks", json={"name": "w", "url": "https://shop.example/"}).status_code == 200
    assert [one["name"] for one in client.get("/v1/webhooks").json()["webhooks"]] == ["w"]


def test_addresses_are_set_shown_without_their_secret_and_deleted(client):
    made = client.put("/v1/webhooks", json={"name": "a", "url": "https://shop.example/hook"}).json()
    assert made["secret"].startswith("whsec_")
    listed = client.get("/v1/webhooks")
    assert listed.json() == {"webhooks": [{"name": "a", "url": "https://shop.example/hook"}]}
    assert client.put("/v1/webhooks", json={"name": "b", "url": "file:///x"}).status_code == 400
    assert client.delete("/v1/webhooks", params={"name": "a"}).json() == {"changed": True}
