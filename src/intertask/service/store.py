"""The process that writes SQLite, and the only one that does: `python -m intertask.service.store`."""

import asyncio
import signal

from intertask.service import process, wire
from intertask.service.opening import opened
from intertask.service.schema import migrate
from intertask.service.settings import Place
from intertask.service.writer import Writer


def main() -> None:
    """Bring the tables to this version, and write what the others send."""
    place = process.told()
    asyncio.run(_serve(place))


async def _serve(place: Place) -> None:
    database = opened(place.settings.database, place.folder)
    connection = database.writing()
    migrate(connection)
    connection.close()
    writer = Writer(database)
    writer.start()
    place.socket.unlink(missing_ok=True)
    server = await wire.serve(place.socket, writer)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    process.ready()
    await ended.wait()
    server.close()
    await asyncio.to_thread(writer.stop)
    place.socket.unlink(missing_ok=True)


if __name__ == "__main__":
    process.run(main)
