"""A process that answers HTTP: `python -m intertask.service.worker FD`; the socket is that descriptor."""

import asyncio
import os
import resource
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import torch
import uvicorn

from intertask.service import process, tenants
from intertask.service.access import Access
from intertask.service.application import application
from intertask.service.engine import Engine
from intertask.service.limits import Limits
from intertask.service.loader import Loader
from intertask.service.opening import opened
from intertask.service.recorder import Recorder
from intertask.service.refusing import Refusing
from intertask.service.running import Running
from intertask.service.settings import Place
from intertask.service.tenants import KeepSecret
from intertask.service.treatments import Treatments

DRAIN_SECONDS = 10
KEEP_ALIVE_SECONDS = 30
MOST_CONNECTIONS = 8_000  # a limit of the last resort: above it uvicorn answers 503 in plain text
MOST_FILES, SPARE_FILES = 16_384, 200
MOST_HEAD_BYTES = 32_768


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[Running]:
    """What a process answers by, from the first model that it loads to its end."""
    access = Access(opened(place.settings.database, place.folder), place.line)
    access.start()
    secret = await _secret(access)
    engine = Engine(access.here)
    loader = Loader(place, access, engine, f"{os.getpid()}-{secrets.token_hex(4)}")
    await loader.start()
    engine.start()
    recorder = Recorder(access, place.settings.answers_days > 0)
    recorder.start()
    treatments = Treatments(access, engine)
    treatments.start()
    limits = Limits(place.folder / "limits")
    try:
        yield Running(place, access, engine, secret, recorder, treatments, limits)
    finally:
        await treatments.stop()
        await recorder.stop()
        await loader.stop()
        await asyncio.to_thread(engine.stop)
        await access.close()
        limits.close()


async def _secret(access: Access) -> bytes:
    """What all processes sign by; the first of them makes it."""
    found = await access.read(tenants.secret, "cursor")
    if found is None:
        await access.write(KeepSecret(name="cursor", value=secrets.token_hex(32)))
        found = await access.read(tenants.secret, "cursor")
    assert found is not None
    return bytes.fromhex(found)


def main() -> None:
    """Answer until the end."""
    place = process.told()
    torch.set_num_threads(1)  # two threads of a process would wait for each other more than they compute
    listening = socket.socket(fileno=int(sys.argv[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            process.ready()

    server = Server(
        uvicorn.Config(
            application(lambda: running(place), place.settings.origins),
            lifespan="on",
            http=Refusing,
            loop="auto",  # uvloop where it is installed
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            proxy_headers=False,
            limit_concurrency=min(MOST_CONNECTIONS, most - SPARE_FILES),
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        )
    )
    server.run([listening])


if __name__ == "__main__":
    process.run(main)
