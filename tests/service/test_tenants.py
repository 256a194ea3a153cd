import pytest

from intertask.service.refusals import ConflictError, MissingError
from intertask.service.tenants import AddTenant, RevokeKey, holder, keys, new_key, tenants


def keep(store, command):
    with store.transaction():
        return command.run(store)


def test_a_key_opens_its_own_tenant_and_no_other(store):
    key, command = new_key(2, "ingest", "shop")
    keep(store, command)
    found = holder(store, key)
    assert found is not None and (found.tenant, found.role) == (2, "ingest")
    assert keys(store, 1) == [] and keys(store, 2)[0][:3] == (found.key, "ingest", "shop")


def test_a_key_is_nowhere_in_the_store(store):
    key, command = new_key(1, "admin", "first")
    keep(store, command)
    secret = key.split("_", 2)[2]
    assert secret not in str(store.rows("SELECT * FROM keys")) and secret not in command.model_dump_json()


@pytest.mark.parametrize("change", ["{}x", "x{}", "", "it__", "it_{}", "\udcff{}", "{}\0", "IT{}"])
def test_another_text_is_no_key(store, change):
    key, command = new_key(1, "admin", "first")
    keep(store, command)
    assert holder(store, change.format(key)) is None
    assert holder(store, key[:-1] + ("A" if key[-1] != "A" else "B")) is None


def test_a_key_that_was_taken_back_opens_nothing(store):
    key, command = new_key(1, "admin", "first")
    keep(store, command)
    with pytest.raises(MissingError):
        keep(store, RevokeKey(tenant=2, key=command.key))
    assert holder(store, key) is not None
    assert keep(store, RevokeKey(tenant=1, key=command.key)).changed
    assert not keep(store, RevokeKey(tenant=1, key=command.key)).changed
    assert holder(store, key) is None


def test_names_of_tenants_are_unique(store):
    assert tenants(store) == {"one": 1, "two": 2}
    with pytest.raises(ConflictError, match="a name that no tenant has, found 'two'"):
        keep(store, AddTenant(name="two"))
