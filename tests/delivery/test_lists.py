"""Lists for everybody, in a file."""

import weakref

import polars as pl
import pytest

from intertask.delivery import lists
from intertask.errors import RequestError
from tests import shop

READERS = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}


@pytest.fixture(scope="module")
def model():
    return shop.recommender()


@pytest.mark.parametrize("kind", lists.KINDS)
def test_a_file_holds_what_one_request_would_answer(kind, model, tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "USERS", 7)
    file = tmp_path / f"lists{kind}"
    for k in (4, 2):  # lists that were written before are replaced
        rows = lists.write_lists(
            file, model.users, lambda part, k=k: model.recommend(users=part, k=k, titles=True)
        )
        found, expected = READERS[kind](file), model.recommend(users=model.users, k=k, titles=True)
        assert rows == expected.height
        assert found.columns == ["user", "rank", "item", "score", "title"]
        assert found.drop("score").equals(expected.drop("score"))
        assert found["score"].cast(pl.Float32).to_list() == pytest.approx(
            expected["score"].to_list(), abs=1e-5
        )
    assert [place.name for place in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("kind", lists.KINDS)
def test_parts_without_rows_leave_one_header(kind, model, tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "USERS", 10)
    later = set(model.users[20:])

    def ask(part):
        found = model.recommend(users=part, k=2)
        return found.filter(pl.col("user").is_in(later))

    file = tmp_path / f"lists{kind}"
    assert lists.write_lists(file, model.users, ask) == 20
    assert READERS[kind](file)["user"].to_list() == [user for user in model.users[20:] for _ in range(2)]


def test_nobody_is_a_file_without_rows(model, tmp_path):
    file = tmp_path / "lists.parquet"
    assert lists.write_lists(file, model.users.clear(), lambda part: model.recommend(users=part)) == 0
    assert pl.read_parquet(file).schema == model.recommend(users=[]).schema


@pytest.mark.parametrize("kind", lists.KINDS)
def test_a_request_that_fails_midway_leaves_what_was_there(kind, model, tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "USERS", 10)
    file = tmp_path / f"lists{kind}"

    def broken(part):
        if part[0] == model.users[20]:
            raise KeyboardInterrupt
        return model.recommend(users=part, k=1)

    with pytest.raises(KeyboardInterrupt):
        lists.write_lists(file, model.users, broken)
    assert list(tmp_path.iterdir()) == []
    lists.write_lists(file, model.users, lambda part: model.recommend(users=part, k=1))
    before = file.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        lists.write_lists(file, model.users, broken)
    assert list(tmp_path.iterdir()) == [file] and file.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["notes.csv", "table.parquet", "folder.csv", "empty.jsonl", "broken.parquet"]
)
def test_what_holds_no_lists_is_not_replaced(name, model, tmp_path):
    file = tmp_path / name
    {
        "notes.csv": lambda: file.write_text("user,notes\n1,years of work\n"),
        "table.parquet": lambda: pl.DataFrame({"rank": [1]}).write_parquet(file),
        "folder.csv": file.mkdir,
        "empty.jsonl": file.touch,
        "broken.parquet": lambda: file.write_bytes(b"PAR1"),
    }[name]()
    before = file.is_file() and file.read_bytes()
    with pytest.raises(
        RequestError, match="expected a new file, or one of lists, found something else there"
    ):
        lists.write_lists(file, model.users, lambda part: model.recommend(users=part))
    assert (file.is_file() and file.read_bytes()) == before


@pytest.mark.parametrize("kind", lists.KINDS)
def test_one_part_at_a_time_is_in_memory(kind, model, tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "USERS", 1)
    made = []

    def ask(part):
        assert sum(reference() is not None for reference in made) <= 1
        found = model.recommend(users=part, k=1)
        made.append(weakref.ref(found))
        return found

    assert lists.write_lists(tmp_path / f"lists{kind}", model.users, ask) == len(made) == shop.NUM_USERS
