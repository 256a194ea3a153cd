import pytest

from intertask.errors import IntertaskError
from intertask.service import schema
from intertask.service.opening import opened
from intertask.service.refusals import UnavailableError

SECOND = ("ALTER TABLE people ADD COLUMN note {text}", "INSERT INTO people VALUES (1, 'ann', '{{}}', 0, 'x')")


def test_an_empty_database_gets_the_tables_and_a_second_start_changes_nothing(database):
    store = database.writing()
    assert schema.migrate(store) == 0
    assert schema.migrate(store) == schema.VERSION
    schema.check(store)
    store.close()


def test_tables_of_an_older_version_are_brought_to_this_one(database):
    store = database.writing()
    schema.migrate(store)
    assert schema.migrate(store, (*schema.STEPS, SECOND)) == schema.VERSION
    assert store.rows("SELECT note FROM people") == [("x",)]
    store.close()


def test_a_step_that_fails_leaves_the_version_before(database):
    store = database.writing()
    schema.migrate(store)
    with pytest.raises(Exception, match="missing"):
        schema.migrate(store, (*schema.STEPS, (*SECOND, "DROP TABLE missing")))
    schema.check(store)
    assert store.rows("SELECT count(*) FROM people") == [(0,)]
    store.close()


def test_tables_of_a_newer_version_are_refused(database):
    store = database.writing()
    schema.migrate(store, (*schema.STEPS, SECOND))
    with pytest.raises(
        IntertaskError,
        match=f"tables of version {schema.VERSION} or older, found version {schema.VERSION + 1}; upgrade",
    ):
        schema.migrate(store)
    with pytest.raises(IntertaskError, match=f"version {schema.VERSION + 1}"):
        schema.check(store)
    store.close()


def test_a_snapshot_sees_what_was_committed_before_it_and_nothing_later(store, database):
    other = database.reading()

    def names():
        return [name for (name,) in other.rows("SELECT name FROM tenants ORDER BY tenant")]

    with other.snapshot():
        before = names()
        with store.transaction():
            store.run("INSERT INTO tenants (tenant, name, created) VALUES (3, 'three', 0)")
        assert names() == before == ["one", "two"]
    with other.snapshot():
        assert names() == ["one", "two", "three"]
    other.close()


def test_a_transaction_that_raises_leaves_nothing_and_the_connection_goes_on(store):
    with pytest.raises(KeyError), store.transaction():
        store.run("INSERT INTO tenants (tenant, name, created) VALUES (3, 'three', 0)")
        raise KeyError
    with store.transaction():
        assert store.run("UPDATE tenants SET name = 'x' WHERE tenant = 3") == 0


def test_a_connection_that_reads_cannot_write_to_sqlite(store, database, address):
    if address != "sqlite":
        pytest.skip("a reading connection of PostgreSQL writes nothing outside of its snapshot")
    with pytest.raises(UnavailableError), (reading := database.reading()).transaction():
        reading.run("DELETE FROM tenants")
    reading.close()


def test_a_database_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(UnavailableError, match="expected a file that can be read and written"):
        opened("sqlite", tmp_path / "missing").writing()
    with pytest.raises(UnavailableError, match=r"PostgreSQL at 127\.0\.0\.1") as caught:
        opened("postgresql://me:secret@127.0.0.1:1/x", tmp_path).writing()
    assert "secret" not in str(caught.value)


def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "store.sqlite"
    file.write_text("no database, but a text\n" * 100)
    with pytest.raises(IntertaskError, match="expected a SQLite database that is whole"):
        schema.migrate(opened("sqlite", tmp_path).writing())
    assert file.read_text() == "no database, but a text\n" * 100
