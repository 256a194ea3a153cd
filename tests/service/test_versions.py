import pytest

from intertask.service.refusals import ConflictError, MissingError
from intertask.service.versions import (
    AddVersion,
    Alive,
    Raise,
    RollBack,
    active,
    alias,
    readiness,
    versions,
    wanted,
)


def run(store, command):
    with store.transaction():
        return command.run(store)


@pytest.fixture
def filled(store):
    for digest in ("a", "b", "c"):
        run(store, AddVersion(tenant=1, digest=digest, facts={"name": digest}))
    return store


def test_versions_count_from_one_and_the_same_folder_is_the_same_version(filled):
    assert [one.version for one in versions(filled, 1)] == [3, 2, 1]
    assert run(filled, AddVersion(tenant=1, digest="b")).version == 2
    assert run(filled, AddVersion(tenant=2, digest="b")).version == 1


def test_an_alias_names_one_version_and_goes_back_to_the_one_before(filled):
    assert active(filled, 1) is None
    run(filled, Raise(tenant=1, version=1))
    run(filled, Raise(tenant=1, version=3))
    found = active(filled, 1)
    assert found is not None and (found.version, found.digest, found.facts) == (3, "c", {"name": "c"})
    assert wanted(filled) == ["a", "c"]
    assert run(filled, RollBack(tenant=1)).version == 1
    assert run(filled, RollBack(tenant=1)).version == 3
    assert active(filled, 2) is None


def test_what_cannot_be_raised_changes_nothing(filled):
    with pytest.raises(ConflictError, match="expected a version before, found none"):
        run(filled, RollBack(tenant=1))
    with pytest.raises(MissingError, match="a version of your models, found 9"):
        run(filled, Raise(tenant=1, version=9))
    with pytest.raises(MissingError):
        run(filled, Raise(tenant=2, version=1))
    run(filled, Raise(tenant=1, version=1))
    with pytest.raises(ConflictError, match="alias active: expected version 2, found 1"):
        run(filled, Raise(tenant=1, version=3, instead_of=2))
    again = run(filled, Raise(tenant=1, version=1))
    assert again == alias(filled, 1) and again.before is None


def test_a_model_is_ready_when_every_living_process_says_so(filled):
    run(filled, Alive(worker="v", ready=("a", "b")))
    run(filled, Alive(worker="w", ready=("a",), refused={"b": "too large"}))
    assert readiness(filled, "a") == (2, 2, [])
    assert readiness(filled, "b") == (1, 2, ["too large"])
    run(filled, Alive(worker="w", gone=True))
    assert readiness(filled, "b") == (1, 1, [])
    with filled.transaction():
        filled.run("UPDATE workers SET seen = 0")
    assert readiness(filled, "b") == (0, 0, [])
