import itertools

import pytest

pytest.importorskip("apsw", reason='pip install "intertask[serve]"')

import psycopg

from intertask.service.database import opened
from intertask.service.schema import migrate
from intertask.service.tenants import AddTenant
from tests.service import postgres

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
