"""`evaluate` and `compare` as a user meets them: several runs, one metric, folders that are only read."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def contents(folder):
    return {place: place.read_bytes() for place in sorted(Path(folder).rglob("*")) if place.is_file()}


def test_compare_shows_the_main_metric_alone_and_others_on_demand(trained, run, intertask):
    done = intertask("compare", trained, run)
    assert done.code == 0 and max(map(len, done.out.splitlines())) <= 80
    assert "NDCG@10" in done.out and "HR@" not in done.out and "Log-likelihood" in done.out
    assert "HR@5" in intertask("compare", trained, run, "--metric", "hr@5").out
    every = intertask("compare", trained, run, "--all").out
    assert all(name in every for name in ("NDCG@10", "HR@5", "MAP@20", "Log-likelihood"))
    assert "NDCG@10" not in intertask("compare", trained, run, "--metric", "-log_loss").out


def test_compare_takes_several_runs(trained, run, intertask):
    found = json.loads(intertask("compare", trained, run, trained, "--json").out)
    assert len(found["runs"]) == 3 and {row["run"] for row in found["rows"]} == set(found["runs"][1:])
    assert {row["difference"] for row in found["rows"]} == {0.0}
    assert {row["verdict"] for row in found["rows"]} <= {"no difference shown", "not judged"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "compare: expected two runs or more, found one"),
        (["RUN", "--metric", "hr@7"], "--metric: expected one of ndcg@10, hr@5, "),
        (["RUN", "--metric", "hr@5", "--all"], "compare: expected --metric or --all, found both"),
    ],
)
def test_what_cannot_be_compared(words, line, trained, intertask):
    words = [trained if word == "RUN" else word for word in words]
    assert intertask.refused("compare", trained, *words).startswith(line)


def test_a_folder_that_cannot_be_written_to_gets_its_table_and_a_warning(run, intertask, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    before = contents(run)
    monkeypatch.setattr("intertask.runs.run.keep", refuse)
    done = intertask("evaluate", run)
    assert done.code == 0 and "NDCG" in done.out and "popularity" in done.out and "report:" not in done.out
    assert done.err.startswith(f"warning: the evaluation of {run} was not written: ")
    assert "Read-only file system" in done.err and done.err.count("\n") == 1
    found = json.loads(intertask("evaluate", run, "--json").out)
    assert {row["system"] for row in found["rankings"]} == {"intertask", "popularity", "transition"}
    assert contents(run) == before


def test_a_disk_that_is_only_read(run, intertask):
    mounts = [["mount", "--bind", run, run], ["mount", "-o", "remount,ro,bind", run]]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only a user who may mount can make a folder that nobody may write to")
    if any(subprocess.run(words, check=False, capture_output=True).returncode for words in mounts):
        pytest.skip("nothing may be mounted here")
    try:
        done = intertask("evaluate", run)
        assert done.code == 0 and "NDCG" in done.out and "was not written" in done.err
        assert intertask("compare", run, run).code == 0
    finally:
        subprocess.run(["umount", run], check=True)
