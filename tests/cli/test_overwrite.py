"""A file that a user names and that is there already is replaced on request alone."""

import os
from pathlib import Path

import polars as pl
import pytest

from intertask.recipe import source
from intertask.recommender import Recommender
from tests import shop


@pytest.fixture
def verbs(shop_files, tmp_path):
    """For each option that names a file: what is asked for, and what must not be begun."""
    run = shop_files.parent / "runs" / "made"
    run.parent.mkdir(exist_ok=True)
    shop.recommender().save(run)
    return {
        "--refused": ["data", shop_files],
        "--out": ["recommend", run, "--all", "-k", 2],
    }


@pytest.mark.parametrize("content", [b"mine", b"", b"user,rank,item,score\n", b"row,reason,column,value\n"])
@pytest.mark.parametrize("option", ["--refused", "--out"])
def test_a_file_is_replaced_with_overwrite_alone(option, content, verbs, intertask, monkeypatch):
    file = Path("there.csv")
    file.write_bytes(content)
    with monkeypatch.context() as patched:
        patched.setattr(source, "load", None)  # no work is done before
        patched.setattr(Recommender, "load", None)
        line = intertask.refused(*verbs[option], option, file)
    assert line == (
        "there.csv: expected a name that is free, found a file; "
        f"name another one: {option} OTHER, or add --overwrite"
    )
    assert file.read_bytes() == content
    assert intertask(*verbs[option], option, file, "--overwrite").code == 0
    assert pl.read_csv(file).columns[:2] in (["row", "reason"], ["user", "rank"])


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe"])
@pytest.mark.parametrize("option", ["--refused", "--out"])
def test_what_is_no_file_is_never_replaced(option, kind, verbs, intertask):
    file, target = Path("there.csv"), Path("elsewhere.csv")
    target.write_text("years of work")
    {
        "link": lambda: file.symlink_to(target),
        "dangling": lambda: file.symlink_to("nowhere.csv"),
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
    }[kind]()
    before = file.lstat()
    for more in ([], ["--overwrite"]):
        line = intertask.refused(*verbs[option], option, file, *more)
        assert line.startswith("there.csv: expected a name that is free, found a")
    assert file.lstat().st_ino == before.st_ino
    assert target.read_text() == "years of work" and not Path("nowhere.csv").exists()


def test_a_wrong_ending_is_refused_before_any_work(verbs, intertask, monkeypatch):
    monkeypatch.setattr(source, "load", None)
    line = intertask.refused(*verbs["--refused"], "--refused", "rows.xlsx")
    assert line == "rows.xlsx: expected a name ending in .parquet or .csv, found '.xlsx'"


def test_a_folder_of_somebody_else_is_refused_before_the_log_is_read(verbs, intertask, monkeypatch):
    Path("out").mkdir()
    Path("out/users.parquet").write_text("mine")
    monkeypatch.setattr(source, "load", None)
    assert "nothing was changed" in intertask.refused(*verbs["--refused"], "--out", "out")
    assert [file.name for file in Path("out").iterdir()] == ["users.parquet"]
