import json
import os
import shutil

import polars as pl
import pytest

from intertask import run as runs
from intertask.errors import DataError
from intertask.evaluate import kept
from intertask.evaluate.compare import compare, per_target
from intertask.evaluate.results import Evaluation
from intertask.files import sha256
from tests import shop


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    runs.train(shop.write_files(folder), folder / "run")
    runs.evaluate(folder / "run")
    return folder / "run"


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def without_digests(folder):
    """The evaluation as an older version wrote it."""
    told = json.loads((folder / kept.FILE).read_text())
    del told["digests"]
    (folder / kept.FILE).write_text(json.dumps(told))


def killed_before(name, folder, monkeypatch):
    """Evaluate the other part, and fail where a file would be put in its place."""
    usual = os.replace

    def put(self, target):
        if target.name == name:
            raise KeyboardInterrupt
        usual(self, target)
        return target

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", put)
        with pytest.raises(KeyboardInterrupt):
            runs.evaluate(folder, "validation")


def test_an_evaluation_names_the_files_beside_it(trained):
    found = Evaluation.read(trained / kept.FILE)
    assert found.digests == {name: sha256(trained / name) for name in ("ranks.parquet", "answers.parquet")}
    assert kept.is_whole(trained)
    assert found.model_copy(update={"digests": {}}) == found  # what was found is the same


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("name", ["ranks.parquet", "answers.parquet", "evaluation.json"])
def test_files_of_two_evaluations_are_never_read_as_one(name, older, run, trained, monkeypatch):
    if older:
        without_digests(run)
    before = Evaluation.read(run / kept.FILE)
    killed_before(name, run, monkeypatch)
    assert Evaluation.read(run / kept.FILE) == before
    changed = [part for part in before.digests or kept_names(run) if torn(run, trained, part)]
    if changed:
        assert not kept.is_whole(run)
        for ask in (lambda: compare(run, trained), lambda: per_target(run)):
            with pytest.raises(DataError, match=r"parquet: expected .* run `intertask evaluate` again"):
                ask()
    else:
        assert kept.is_whole(run)
        assert compare(run, trained, resamples=20).rows
    runs.evaluate(run, "validation")
    assert kept.is_whole(run)
    assert not per_target(run).is_empty()


def kept_names(folder):
    return [name for name in (kept.RANKS, kept.ANSWERS) if (folder / name).exists()]


def torn(folder, whole, name):
    return (folder / name).read_bytes() != (whole / name).read_bytes()


def test_an_evaluation_of_an_older_version_is_read(run, trained):
    without_digests(run)
    assert Evaluation.read(run / kept.FILE).digests == {}
    assert all(row.difference == 0 for row in compare(run, trained, resamples=20).rows)


def test_a_table_that_is_missing_is_named(run, trained):
    (run / kept.ANSWERS).unlink()
    with pytest.raises(DataError, match=r"answers\.parquet: expected the file that evaluation\.json"):
        compare(run, trained)


def test_an_evaluation_without_a_kind_of_task_takes_its_table_away(run):
    found = runs.measure(run)
    targets = type(found.targets)(found.targets.ranks, None)
    told = kept.keep(found.with_targets(targets), run)
    assert list(told.digests) == [kept.RANKS]
    assert not (run / kept.ANSWERS).exists() and kept.is_whole(run)
    assert pl.read_parquet(run / kept.RANKS).equals(found.targets.ranks)
