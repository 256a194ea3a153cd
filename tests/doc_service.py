"""A service that answers the requests of the documentation, in one process, with the model of its run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.testclient import TestClient

from intertask.service import registry, seed
from intertask.service.events import Append
from intertask.service.opening import opened
from intertask.service.schema import migrate
from intertask.service.settings import Place, Settings
from intertask.service.tenants import AddTenant, new_key
from intertask.service.versions import AddVersion, Raise
from tests.service.asking import asking


@contextmanager
def served(run: Path) -> Iterator[TestClient]:
    """A client with a key that may do everything."""
    with TemporaryDirectory() as name:  # a short path: that of a socket may have some hundred characters
        folder = Path(name)
        place = Place(folder=folder, settings=Settings(), socket=folder / "socket")
        added = registry.add(run, place.models)
        store = opened("sqlite", folder).writing()
        migrate(store)
        key, command = new_key(1, "admin", "documentation")
        with store.transaction():
            for one in (
                AddTenant(name="one"),
                command,
                AddVersion(tenant=1, digest=added.digest, facts=added.facts),
                Raise(tenant=1, version=1),
                *(Append(tenant=1, events=events) for events in seed.batches(added.recommender)),
            ):
                one.run(store)
        store.close()
        with asking(place, key) as client:
            yield client
