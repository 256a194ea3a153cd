"""A process that answers, within the test's own: real routes, a real engine, a real database."""

from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.testclient import TestClient

from intertask.service import wire, worker
from intertask.service.application import application
from intertask.service.opening import opened
from intertask.service.settings import Place
from intertask.service.writer import Writer


@contextmanager
def asking(place: Place, key: str, name: str = "one") -> Iterator[TestClient]:
    """A client of a process; with SQLite the process writes by a socket to a writer of its own."""

    @asynccontextmanager
    async def life():
        if place.line is None:
            async with worker.running(place) as running:
                yield running
            return
        writer = Writer(opened("sqlite", place.folder))
        writer.start()
        socket = place.folder / f"{name}.socket"
        server = await wire.serve(socket, writer)
        async with worker.running(place.model_copy(update={"socket": socket})) as running:
            yield running
        server.close()
        writer.stop()
        socket.unlink()

    with TestClient(
        application(life, place.settings.origins), headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client
