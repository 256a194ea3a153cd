"""What a run or a study replaces is known by its content; everything else stays."""

import io
import json
import shutil

import polars as pl
import pytest

from intertask import report
from intertask.data.refusals import Refusals
from intertask.errors import DataError, IntertaskError
from intertask.evaluate.gains import Transfer
from intertask.evaluate.targets import ANSWERS, RANKS
from intertask.recommender import Recommender
from intertask.runs import run as runs
from intertask.runs import study as studies
from intertask.runs.study import study
from intertask.storage.ours import foreign
from intertask.storage.run_folder import EVALUATED, WRITTEN
from intertask.train.loop import Trainer
from tests import shop
from tests.storage.test_run_folder import state

FILES = [name for name, kind in WRITTEN.items() if kind == "file"]
TOML = shop.TOML.replace("epochs = 2", "epochs = 1") + '[communication]\nkind = "ple"\n'


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    bad = pl.concat([shop.events(), shop.events().head(2).with_columns(visitor=pl.lit(None, pl.String))])
    with pytest.warns(UserWarning, match="refused 2"):
        runs.train(shop.write_files(folder, frame=bad), folder / "run")
    runs.evaluate(folder / "run")
    report.write(folder / "run")
    return folder / "run"


def theirs(name, how):
    """Content of somebody else under a name of ours."""
    if how == "broken":
        return b"PAR1 {[<\xff\x00"
    if how == "empty":
        return b""
    if name.endswith(".parquet"):
        pl.DataFrame({"system": ["x"], "household": [1]}).write_parquet(table := io.BytesIO())
        return table.getvalue()
    return {
        "json": b'{"tasks": ["wash up"], "model": "T"}',
        "jsonl": b'{"diary": "event"}\n',
        "toml": b'[project]\nname = "mine"\n',
        "html": b"<!doctype html><title>intertask</title>",
    }[name.rpartition(".")[2]]


def test_everything_that_a_run_writes_is_known_to_be_ours(trained):
    assert {name: foreign(trained / name) for name in FILES} == dict.fromkeys(FILES, "")
    assert [name for name in FILES if not (trained / name).is_file()] == [RANKS, ANSWERS]  # of older versions


@pytest.mark.parametrize("how", ["other", "broken", "empty"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_somebody_else_in_a_run_is_refused_before_any_work(
    name, how, trained, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    content = theirs(name, how)
    (run / name).write_bytes(content)
    if name == "journal.jsonl" and not content:
        assert not foreign(run / name)  # as of a run that was killed at once
        return
    before = state(tmp_path)
    monkeypatch.setattr(Trainer, "run", None)  # is never come to
    monkeypatch.setattr(Recommender, "load", None)
    with pytest.raises(IntertaskError, match=rf"{name}: expected .*nothing was changed") as caught:
        runs.train(trained.parent / "recipe.toml", run)
    assert "\n" not in str(caught.value)
    if name in EVALUATED:
        with pytest.raises(IntertaskError, match=rf"{name}: expected a file of this run"):
            runs.evaluate(run)
    assert state(tmp_path) == before


def test_a_page_and_an_evaluation_of_an_older_version_are_ours(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    page = (run / "report.html").read_text()
    assert page.count('<meta name="generator" content="intertask">') == 1
    (run / "report.html").write_text(page.replace('<meta name="generator" content="intertask">', ""))
    old = json.loads((run / "evaluation.json").read_text())
    (run / "evaluation.json").write_text(json.dumps({**old, "an option of a later version": 1}))
    assert not foreign(run / "report.html") and not foreign(run / "evaluation.json")


def test_refused_rows_replace_refused_rows_alone(tmp_path):
    rows = Refusals("log.csv", 1, 1)
    for name in ("refused.csv", "refused.parquet"):
        file = tmp_path / name
        for _ in range(2):
            rows.write(file)
        file.write_text("row,reason\n")
        with pytest.raises(DataError, match=r"expected a new file, or one of refused rows, found a file of"):
            rows.write(file)
        assert file.read_text() == "row,reason\n"
        rows.write(file, overwrite=True)
        assert not foreign(file)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    file = shop.write_files(place, TOML)
    return file, place / "study", study(file, place / "study", [3], "validation")


@pytest.mark.parametrize(
    "name", ["transfer.json", "transfer.html", "recipes/alone-buys.json", "recipes/together.json"]
)
@pytest.mark.parametrize("how", ["other", "broken", "link"])
def test_a_file_of_somebody_else_in_a_study_is_refused_before_the_first_run(
    name, how, done, tmp_path, monkeypatch
):
    file, folder, found = done
    monkeypatch.setattr(studies, "run_arm", None)  # is never come to
    for place in (tmp_path / "new", tmp_path / "old"):
        if place.name == "old":
            shutil.copytree(folder, place)
            report.write_transfer(place, found)
        (place / "recipes").mkdir(parents=True, exist_ok=True)
        (place / name).unlink(missing_ok=True)
        if how == "link":
            (tmp_path / "elsewhere").write_text((folder / "transfer.json").read_text())
            (place / name).symlink_to(tmp_path / "elsewhere")
        else:
            (place / name).write_bytes(theirs(name, how))
        before = state(tmp_path)
        with pytest.raises(IntertaskError, match=rf"{name}: expected a file that .*nothing was changed"):
            study(file, place, [3], "validation")
        assert state(tmp_path) == before


def test_a_study_is_reported_again_over_its_own_files(done, tmp_path):
    file, folder, found = done
    place = tmp_path / "study"
    shutil.copytree(folder, place)
    report.write_transfer(place, found)
    assert study(file, place, [3], "validation") == found
    report.write_transfer(place, found)
    assert Transfer.model_validate_json((place / "transfer.json").read_text()) == found
    (place / "transfer.html").write_text("<p>mine")
    with pytest.raises(IntertaskError, match=r"transfer\.html: expected a file that intertask wrote"):
        report.write_transfer(place, found)


def test_an_arm_whose_evaluation_was_killed_half_way_is_evaluated_again(done, tmp_path, monkeypatch):
    file, folder, found = done
    place = tmp_path / "study"
    shutil.copytree(folder, place)
    table = place / "together-3" / "targets.parquet"
    whole = table.read_bytes()
    pl.read_parquet(table).with_columns(pl.col("value") + 1).write_parquet(table)
    monkeypatch.setattr(runs, "train", None)
    assert study(file, place, [3], "validation").tasks == found.tasks
    assert table.read_bytes() == whole


def test_a_folder_in_the_place_of_recipes_or_of_a_run_is_refused_before_the_first_run(done, tmp_path):
    file, _, _ = done
    for name in ("recipes", "alone-liked-3/report.html"):
        place = tmp_path / name.replace("/", "-")
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text("mine")
        before = state(tmp_path)
        with pytest.raises(IntertaskError, match=name):
            study(file, place, [3], "validation")
        assert state(tmp_path) == before
