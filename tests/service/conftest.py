import itertools

import pytest

pytest.importorskip("apsw", reason='pip install "intertask[serve]"')

import psycopg

from intertask import Recommender
from intertask.service import registry, seed
from intertask.service.events import Append
from intertask.service.opening import opened
from intertask.service.schema import migrate
from intertask.service.settings import Place, Settings
from intertask.service.tenants import AddTenant, Role, new_key
from intertask.service.versions import AddVersion, Raise
from tests import shop
from tests.service import postgres
from tests.service.asking import asking

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server():
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request):
    """A database without tables."""
    if request.param == "sqlite":
        return "sqlite"
    server = request.getfixturevalue("server")
    schema = f"test{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{server}&options=-csearch_path%3D{schema}"


@pytest.fixture
def database(address, tmp_path):
    """One without tables."""
    return opened(address, tmp_path)


@pytest.fixture
def store(database):
    """A writing connection to one with tables and the tenants 1 and 2."""
    connection = database.writing()
    migrate(connection)
    with connection.transaction():
        assert [AddTenant(name=name).run(connection).tenant for name in ("one", "two")] == [1, 2]
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def shop_models(tmp_path_factory):
    """A registry with two models of the shop, and what is told of them."""
    folder = tmp_path_factory.mktemp("registry")
    shop.recommender().save(folder / "model")
    other = Recommender(shop.recipe(seed=2)).fit(shop.corpus(), shop.catalogue())
    other.save(folder / "other")
    added = [registry.add(folder / name, folder / "models") for name in ("model", "other")]
    return folder / "models", added


@pytest.fixture
def place(address, store, shop_models, tmp_path):
    """A service with people and two models, of which the first is active for the first tenant."""
    models, added = shop_models
    (tmp_path / "models").symlink_to(models)
    commands = [
        *(AddVersion(tenant=1, digest=one.digest, facts=one.facts) for one in added),
        Raise(tenant=1, version=1),
        *(Append(tenant=1, events=events) for events in seed.batches(shop.recommender())),
    ]
    with store.transaction():
        for command in commands:
            command.run(store)
    return Place(folder=tmp_path, settings=Settings(database=address), socket=tmp_path / "socket")


@pytest.fixture
def key(store):
    """Makes a key."""

    def make(role: Role = "admin", tenant: int = 1) -> str:
        made, command = new_key(tenant, role, "test")
        with store.transaction():
            command.run(store)
        return made

    return make


@pytest.fixture
def client(place, store, address, key):
    """Asks one process, which writes to the same database by the test's own writer."""
    with asking(place, key()) as found:
        yield found
