import json
import os
import shutil

import polars as pl
import pytest

from intertask.errors import DataError
from intertask.evaluate import kept, targets
from intertask.evaluate.compare import compare, per_target
from intertask.evaluate.results import Evaluation
from intertask.runs import run as runs
from intertask.storage.files import sha256
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


def as_an_older_version(folder, *, digests=True):
    """The evaluation as it was written when ranks and answers had a table each."""
    table = pl.read_parquet(folder / targets.FILE)
    own = ["system", "task", pl.col("unit").alias("user"), "target"]
    of_ranks = pl.col("metric") == "rank"
    rank = pl.col("value").cast(pl.Int64).alias("rank")
    ranks = table.filter(of_ranks).select(*own, pl.col("setting").alias("history"), rank)
    ranks.write_parquet(folder / targets.RANKS)
    answers = table.filter(~of_ranks, pl.col("system") == "intertask")
    answers.select(*own, "metric", pl.col("value").alias("quality"), "label").write_parquet(
        folder / targets.ANSWERS
    )
    (folder / targets.FILE).unlink()
    told = json.loads((folder / kept.FILE).read_text())
    del told["digests"]
    if digests:
        told["digests"] = {name: sha256(folder / name) for name in (targets.RANKS, targets.ANSWERS)}
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
    assert found.digests == {"targets.parquet": sha256(trained / "targets.parquet")}
    assert kept.is_whole(trained)
    assert found.model_copy(update={"digests": {}}) == found  # what was found is the same


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("name", ["targets.parquet", "evaluation.json"])
def test_files_of_two_evaluations_are_never_read_as_one(name, older, run, trained, monkeypatch):
    if older:
        as_an_older_version(run)
    before = Evaluation.read(run / kept.FILE)
    killed_before(name, run, monkeypatch)
    assert Evaluation.read(run / kept.FILE) == before
    if not older and name == kept.FILE:
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
    assert not any((run / name).exists() for name in (targets.RANKS, targets.ANSWERS))


@pytest.mark.parametrize("digests", [False, True])
def test_an_evaluation_of_an_older_version_is_read(digests, run, trained):
    as_an_older_version(run, digests=digests)
    assert per_target(run).sort(pl.all()).equals(per_target(trained).sort(pl.all()))
    found = compare(run, trained, resamples=20)
    assert {row.task for row in found.rows} == {"next", "buys", "liked"}
    assert all(row.difference == 0 for row in found.rows)


@pytest.mark.parametrize("name", [targets.RANKS, targets.ANSWERS])
@pytest.mark.parametrize("how", ["missing", "foreign"])
def test_an_older_evaluation_without_a_table_of_its_own_is_refused_in_one_line(name, how, run, trained):
    as_an_older_version(run, digests=False)
    (run / name).unlink()
    if how == "foreign":
        pl.DataFrame({"system": ["intertask"], "task": ["next"]}).write_parquet(run / name)
    with pytest.raises(DataError, match=f"{name}: expected .*run `intertask evaluate`") as caught:
        compare(run, trained)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_missing_is_named(run, trained):
    (run / targets.FILE).unlink()
    with pytest.raises(DataError, match=r"targets\.parquet: expected the file that evaluation\.json"):
        compare(run, trained)


def test_an_evaluation_that_found_no_target_has_an_empty_table(run):
    found = runs.measure(run)
    told = kept.keep(found.with_targets(found.targets.clear()), run)
    assert list(told.digests) == [targets.FILE] and kept.is_whole(run)
    assert kept.read(run)[1].is_empty()
