"""Tells webhooks what happened: to machines of the open network alone, by the address that was looked at."""

import asyncio
import contextlib
import http.client
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from urllib.parse import urlsplit

from intertask.service import webhooks
from intertask.service.access import Access
from intertask.service.networks import is_open
from intertask.service.refusals import RefusedError
from intertask.service.webhooks import Delivered, Delivery

SECONDS = 1.0
TIMEOUT = 5.0
ENOUGH = 1_024  # bytes of an answer that are read
WHOLE = 10.0  # seconds of a delivery, whatever comes and when


async def deliver(access: Access, *, private: bool) -> None:
    """Deliver what is due, every second, until cancelled.

    Args:
        access: To the store.
        private: Whether addresses of private networks are allowed.
    """
    while True:
        try:
            for one in await access.read(webhooks.due):
                heard = await asyncio.to_thread(told, one, private=private)
                await access.write(Delivered(delivery=one.delivery, heard=heard))
        except RefusedError:  # the store is away for a moment
            pass
        except Exception:  # what one delivery meets must not end all others
            traceback.print_exc(file=sys.stderr)
        await asyncio.sleep(SECONDS)


def told(delivery: Delivery, *, private: bool) -> bool:
    """Whether an address has heard what it was told: it answers 2xx. Nobody is followed elsewhere."""
    parts = urlsplit(delivery.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    moment = int(time.time())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "content-type": "application/json",
        "host": parts.netloc,
        "intertask-delivery": delivery.delivery,
        "intertask-signature": delivery.signature(moment),
        "user-agent": "intertask",
    }
    try:
        connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=TIMEOUT)
        connection.sock = _connected(parts.hostname or "", port, private=private)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(
                connection.sock, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
        with contextlib.closing(connection), _ended_after(WHOLE, connection.sock):
            if isinstance(connection.sock, ssl.SSLSocket):
                connection.sock.do_handshake()
            connection.request("POST", path, delivery.body.encode(), headers)
            answer = connection.getresponse()
            answer.read(ENOUGH)
            return 200 <= answer.status < 300
    except (OSError, http.client.HTTPException, ValueError):
        return False


@contextlib.contextmanager
def _ended_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    """End a connection: a receiver that sends a byte now and then would keep all others waiting."""

    def end() -> None:
        with contextlib.suppress(OSError):  # it has just ended
            connection.shutdown(socket.SHUT_RDWR)

    late = threading.Timer(seconds, end)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


def _connected(host: str, port: int, *, private: bool) -> socket.socket:
    """A connection to an address that was looked at, whatever its name means a moment later.

    Raises:
        OSError: There is none, or it is not of the open network.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_open(one.partition("%")[0]) for one in addresses):
        raise OSError("an address of a private network")
    return socket.create_connection((addresses[0], port), TIMEOUT)
