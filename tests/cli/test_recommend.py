"""Ids of the command line, and lists that go to a file."""

import json
import os
import warnings
from pathlib import Path

import polars as pl
import pytest

from intertask import Recommender
from intertask.cli import ids
from tests import shop


@pytest.fixture
def rows(trained, intertask):
    def ask(*words):
        done = intertask("recommend", trained, "--json", *words)
        assert done.code == 0, done
        return json.loads(done.out)

    return ask


def test_several_ids_stand_between_commas_everywhere(rows, tmp_path):
    assert rows("-u", "ü3,ü1", "-k", 2) == rows("-u", "ü3", "-u", "ü1", "-k", 2)
    some = ["--seen", "-u", "ü1"]
    assert rows(*some, "--allow", "№1, №2,№3", "--deny", "№2,№9") == rows(
        *some, "--allow", "№1", "--allow", "№3"
    )
    (tmp_path / "ids").write_bytes("\ufeff№1\r\n\r\n  №3 \n".encode())
    for words in (["--allow-file", tmp_path / "ids"], ["--allow", "№1", "--allow-file", tmp_path / "ids"]):
        assert rows(*some, *words) == rows(*some, "--allow", "№1,№3")
    assert {row["item"] for row in rows(*some, "-k", 15, "--deny-file", tmp_path / "ids")} == {
        f"№{number}" for number in range(shop.NUM_ITEMS) if number not in (1, 3)
    }
    (tmp_path / "users").write_text("ü3\nü1", encoding="utf-8")
    assert rows("--users-file", tmp_path / "users", "-k", 2) == rows("-u", "ü3,ü1", "-k", 2)


def test_ids_may_hold_commas_and_equals_signs():
    assert ids.separated([r"a\,b,c", "d=e"], "--user") == ["a,b", "c", "d=e"]
    assert ids.events(r"a\,b=view, c ,d\=e,f\=g=buy") == [("a,b", "view"), "c", "d=e", ("f=g", "buy")]
    assert ids.events("") == []


def test_unknown_items_of_a_live_list_are_one_warning(trained, intertask):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = intertask("recommend", trained, "-u", "ü1", "--seen", "--allow", "№1,new,newer", "--json")
    assert [row["item"] for row in json.loads(done.out)] == ["№1"]
    assert done.err == (
        "warning: items left out of the request: 2 of 3 of allow that it does not know "
        "(`items` of the model lists what it knows)\n"
    )


def test_a_condition_reaches_the_catalogue(rows):
    found = rows("-u", "ü1", "--seen", "--where", "'odd' in genres and title != 'Thing 3'", "-k", 15)
    assert {row["title"] for row in found} == {f"Thing {n}" for n in range(1, shop.NUM_ITEMS, 2) if n != 3}


def test_an_empty_list_is_not_silent(trained, intertask):
    done = intertask("recommend", trained, "-u", "ü1", "--where", "title == 'nothing'")
    assert (done.code, done.out) == (0, "")
    assert done.err == "no item is left that may be recommended\n"


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_everybody_is_answered_in_a_file(kind, trained, tmp_path, intertask):
    file = tmp_path / f"lists.{kind}"
    done = intertask("recommend", trained, "--all", "-k", 3, "--out", file)
    assert (done.code, done.out) == (0, f"{file}: {3 * shop.NUM_USERS} rows for {shop.NUM_USERS} users\n")
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[kind](file)
    model = Recommender.load(trained)
    expected = model.recommend(users=model.users, k=3, titles=True)
    assert read.drop("score").equals(expected.drop("score"))
    told = json.loads(
        intertask("recommend", trained, "--all", "-k", 3, "--out", file, "--overwrite", "--json").out
    )
    assert told == {"file": str(file), "users": shop.NUM_USERS, "rows": 3 * shop.NUM_USERS}


def test_an_unknown_user_of_a_file_is_found_before_any_work(trained, tmp_path, intertask):
    (tmp_path / "users").write_text("ü1\nnobody\nü2\nno one\n", encoding="utf-8")
    line = intertask.refused(
        "recommend", trained, "--users-file", tmp_path / "users", "--out", tmp_path / "a.csv"
    )
    assert line.startswith("users: expected users of the log, found 'nobody', 2 of 4 unknown; leave them out")
    assert not (tmp_path / "a.csv").exists()


def test_a_file_of_ids_is_a_regular_file_of_text(trained, tmp_path, intertask):
    os.mkfifo(tmp_path / "pipe")  # would be waited for without end
    (tmp_path / "latin").write_bytes("ü1\n".encode("latin-1"))
    for name, found in (("pipe", "no regular file"), ("latin", "another encoding at byte 0")):
        line = intertask.refused("recommend", trained, "--users-file", tmp_path / name)
        assert line.startswith(f"--user file {tmp_path / name}: expected ") and found in line


def test_a_file_that_is_no_list_is_kept(trained, tmp_path, intertask):
    Path(tmp_path / "notes.csv").write_text("user,notes\n")
    line = intertask.refused("recommend", trained, "--all", "--out", tmp_path / "notes.csv")
    assert line == (
        f"{tmp_path / 'notes.csv'}: expected a name that is free, found a file; "
        "name another one: --out OTHER, or add --overwrite"
    )
    assert Path(tmp_path / "notes.csv").read_text() == "user,notes\n"


def test_a_file_without_users_is_said_to_be_empty(trained, tmp_path, intertask):
    (tmp_path / "users").write_text("\n \n")
    line = intertask.refused("recommend", trained, "--users-file", tmp_path / "users")
    assert line.startswith(f"--users-file {tmp_path / 'users'}: expected one id a line, found none")


def items_of(found):
    return [row["item"] for row in found]


def test_wishes_of_a_list_reach_the_model(rows, trained):
    model = Recommender.load(trained)
    some, asked = ["-u", "ü1", "--seen", "-k", 6], {"users": ["ü1"], "k": 6, "exclude_seen": False}
    for words, wish in (
        (["--boost", "'odd' in genres=5e4"], {"boost": {"'odd' in genres": 5e4}}),
        (["--boost", "title == 'Thing 4' = 1e5"], {"boost": {"title == 'Thing 4'": 1e5}}),
        (["--quota", "'odd' in genres=1"], {"quota": {"'odd' in genres": 1}}),
        (["--diversity", "0.8"], {"diversity": 0.8}),
    ):
        expected = model.recommend(**asked, **wish)["item"].to_list()
        assert items_of(rows(*some, *words)) == expected
        assert expected != model.recommend(**asked)["item"].to_list()


def test_a_list_is_explained(rows, trained, intertask, tmp_path):
    found = rows("-u", "ü1", "-k", 2, "--explain")
    assert found[0]["sources"] == [{"source": "model/next", "share": 1.0}]
    assert set(found[0]["because"]) <= {f"№{number}" for number in range(shop.NUM_ITEMS)}
    assert "[model/next 100 %" in intertask("recommend", trained, "-u", "ü1", "--explain").out
    file = tmp_path / "lists.parquet"
    assert intertask("recommend", trained, "--all", "--explain", "-k", 2, "--out", file).code == 0
    assert pl.read_parquet(file)["sources"].list.len().min() == 1
    line = intertask.refused("recommend", trained, "--all", "--explain", "--out", tmp_path / "lists.csv")
    assert ".parquet or .jsonl" in line and not (tmp_path / "lists.csv").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--boost", "'odd' in genres"], "CONDITION=FACTOR"),
        (["--boost", "title == 'Thing 3'"], "CONDITION=FACTOR"),
        (["--boost", "=2"], "CONDITION=FACTOR"),
        (["--boost", "'odd' in genres=-1"], "factor"),
        (["--boost", "price < 3=2"], "price"),
        (["--boost", "title == 2=2", "--boost", "title == 2=3"], "once"),
        (["--quota", "'odd' in genres=1.5"], "CONDITION=COUNT"),
        (["--quota", "'odd' in genres=-1"], "quota"),
        (["--diversity", "nan"], "0 to 1"),
        (["--diversity", "1.5"], "0 to 1"),
        (["--explain", "--objective", "next=1"], "one task"),
    ],
)
def test_a_wish_that_cannot_be_is_one_line(trained, intertask, words, told):
    assert told in intertask.refused("recommend", trained, "-u", "ü1", *words)


def test_what_is_alike_is_shown(trained, intertask):
    model = Recommender.load(trained)
    for way in ("vectors", "content", "events"):
        found = json.loads(intertask("similar", trained, "№1,№2", "--by", way, "-k", 3, "--json").out)
        assert items_of(found) == model.similar(["№1", "№2"], k=3, by=way)["item"].to_list()
        assert [row["similar"] for row in found] == model.similar(["№1", "№2"], k=3, by=way)[
            "similar"
        ].to_list()
    assert "item №1\n   1  " in intertask("similar", trained, "№1").out
    assert "one of vectors, content, events" in intertask.refused("similar", trained, "№1", "--by", "looks")
    assert "items" in intertask.refused("similar", trained, "№99")
