import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from intertask import Recommender, report
from intertask.data.prepare import prepare
from intertask.errors import IntertaskError, RecipeError, WriteError
from intertask.fitting.experiment import fit
from intertask.runs import run as runs
from intertask.storage.files import Contents, written_aside
from intertask.storage.run_folder import LOCK, WRITTEN, is_run, working_on
from intertask.train.loop import Trainer
from tests import shop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    runs.train(shop.write_files(folder), folder / "run")
    runs.evaluate(folder / "run")
    return folder / "run"


def state(folder):
    """Everything in a folder: kinds, links and contents."""
    found = {}
    for path, folders, names in os.walk(folder):
        for name in (*folders, *names):
            place = Path(path) / name
            if place.is_symlink():
                found[place] = ("link", place.readlink())
            elif place.is_file():
                found[place] = ("file", place.read_bytes())
            else:
                found[place] = ("folder", b"")
    return found


def untouched(before, folder):
    after = state(folder)
    return {place for place, kind in before.items() if after.get(place) != kind}


def test_a_project_in_which_a_run_is_made_keeps_all_that_it_had(tmp_path, monkeypatch):
    file = shop.write_files(tmp_path)
    for name in (
        ".venv3.11/bin",
        ".git.bak",
        ".cache.d",
        ".model.abcdefgh",
        ".corpus.tmp12345",
        "data.old",
        ".intertask-mine",
        ".intertask-0123456789abcdef",
        ".intertask-0123456789abcde/new",
        "run.lock.d",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "precious.txt").write_text("years of work")
    (tmp_path / ".link.d").symlink_to(tmp_path / ".git.bak")
    (tmp_path / ".intertask-00000000000000ff").symlink_to(tmp_path / ".git.bak")
    monkeypatch.chdir(tmp_path)
    before = state(tmp_path)
    for _ in range(2):
        runs.train(Path(file.name), Path())
        runs.evaluate(Path())
        report.write(Path())
    assert not untouched(before, tmp_path)
    assert runs.model_folder(Path()) == Path("model")


@pytest.mark.parametrize("bad", ["epochs = 2", "width = 8"])
def test_a_recipe_that_is_refused_changes_nothing_anywhere(bad, tmp_path):
    file = shop.write_files(tmp_path, shop.TOML.replace(bad, bad.replace("=", "= -")))
    (tmp_path / "run" / ".venv3.11").mkdir(parents=True)
    before = state(tmp_path)
    for folder in (tmp_path / "run", tmp_path, tmp_path / "deep" / "run"):
        with pytest.raises(RecipeError):
            runs.train(file, folder)
    assert state(tmp_path) == before


@pytest.mark.parametrize("name", WRITTEN)
def test_a_name_of_a_run_in_a_folder_that_is_none_is_refused_before_anything_is_written(name, tmp_path):
    file = shop.write_files(tmp_path)
    run = tmp_path / "project"
    run.mkdir()
    if WRITTEN[name] == "folder":
        (run / name / "checkpoint-000000001").mkdir(parents=True)
        (run / name / "checkpoint-000000001" / "precious.bin").write_text("years of work")
    else:
        (run / name).write_text('{"tasks": "of the household"}')
    before = state(tmp_path)
    with pytest.raises(IntertaskError, match=rf"project/{name}: expected .*nothing was changed") as caught:
        runs.train(file, run)
    assert "\n" not in str(caught.value)
    if name in ("recipe.json", "journal.jsonl", "checkpoints"):
        with pytest.raises(IntertaskError, match="nothing was changed"):
            fit(shop.recipe(), shop.corpus(), run)
    assert state(tmp_path) == before


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "other"])
@pytest.mark.parametrize("name", [*WRITTEN, LOCK])
def test_a_link_or_a_device_in_a_run_is_refused_and_not_followed(name, kind, trained, tmp_path):
    file = trained.parent / "recipe.toml"
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    place = run / name
    aside = tmp_path / "elsewhere"
    place.rename(aside) if place.exists() else aside.mkdir()
    if kind == "link":
        place.symlink_to(aside)
    elif kind == "dangling link":
        place.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(place)
    elif WRITTEN.get(name, "file") == "file":
        place.mkdir()
    else:
        place.write_text("a file")
    before = state(tmp_path)
    with pytest.raises(IntertaskError, match=name) as caught:
        runs.train(file, run)
    assert "\n" not in str(caught.value)
    assert state(tmp_path) == before


def test_what_stands_in_the_folders_of_a_run_is_refused_before_the_training(trained, tmp_path, monkeypatch):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    for name in ("corpus/mine.parquet", "corpus/sequences/mine.npy", "model/thesis.txt"):
        (run / name).write_text("years of work")
        before = state(tmp_path)
        monkeypatch.setattr(Trainer, "run", None)  # is never come to
        with pytest.raises(IntertaskError, match=Path(name).name):
            runs.train(trained.parent / "recipe.toml", run)
        assert state(tmp_path) == before
        (run / name).unlink()


def test_the_plots_of_somebody_else_stay_and_stale_ones_of_ours_go(trained, tmp_path):
    pytest.importorskip("matplotlib")
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    report.write(run)
    ours = sorted((run / "plots").glob("*.png"))
    (run / "plots" / "mine.png").write_bytes(b"\x89PNG my own")
    shutil.copy(ours[0], run / "plots" / "for-the-slides.png")
    (run / "plots" / "folder.png").mkdir()
    stale = run / "plots" / "stale.png"
    title = ours[0].stem.encode()
    whole = ours[0].read_bytes()
    assert whole.count(title) == 1
    new = b"Title\0stale"
    head = whole.index(b"tEXtTitle") - 4
    stale.write_bytes(whole[:head] + len(new).to_bytes(4, "big") + b"tEXt" + new + whole[head + 60 :])
    report.write(run)
    left = {file.name for file in (run / "plots").iterdir()}
    assert left == {*(file.name for file in ours), "mine.png", "for-the-slides.png", "folder.png"}


def test_a_page_of_somebody_else_is_no_report(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / "report.html").write_text("<h1>My holidays</h1>")
    with pytest.raises(IntertaskError, match=r"report\.html: expected a file that intertask wrote"):
        report.write(run)
    assert (run / "report.html").read_text() == "<h1>My holidays</h1>"


def test_somebody_elses_tables_are_not_taken_for_a_prepared_log(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("items.parquet", "users.parquet"):
        (tmp_path / "data" / name).write_text("years of work")
    before = state(tmp_path)
    with pytest.raises(IntertaskError, match=r"found a folder without .*nothing was changed"):
        prepare(shop.log(), tmp_path / "data")
    assert state(tmp_path) == before


def test_the_root_and_the_home_folder_are_no_run(tmp_path, monkeypatch):
    file = shop.write_files(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "link").symlink_to(home)
    for folder in (Path("/"), home, tmp_path / "link"):
        with pytest.raises(IntertaskError, match="expected a folder for the run alone"):
            runs.train(file, folder)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "-run", "ü", "a\nb", "'\"", "[1]", "~", "*"])
def test_a_run_has_any_name(name, tmp_path):
    file = shop.write_files(tmp_path)
    runs.train(file, tmp_path / name)
    runs.evaluate(tmp_path / name)
    assert is_run(tmp_path / name)


@pytest.mark.parametrize("name", ["\udcff", "a\0b"])
def test_a_name_that_cannot_be_told_is_refused(name, tmp_path):
    file = shop.write_files(tmp_path)
    before = state(tmp_path)
    for work in (
        lambda: runs.train(file, tmp_path / name),
        lambda: shop.recommender().save(tmp_path / name),
        lambda: Recommender.load(tmp_path / name),
        lambda: prepare(shop.log(), tmp_path / name),
    ):
        with pytest.raises(IntertaskError, match=r"expected (a path in UTF-8|the path of a folder)"):
            work()
    assert state(tmp_path) == before


def test_a_run_behind_a_link_is_a_run(tmp_path):
    file = shop.write_files(tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    for _ in range(2):
        runs.train(file, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "model").is_dir()


def test_two_trainings_in_one_folder_are_one_and_an_error(tmp_path, monkeypatch):
    file, run = shop.write_files(tmp_path), tmp_path / "run"
    usual, refused = Trainer._step, []

    def beside(self, *arguments):
        if self.state.step == 1:
            before = state(run)
            for work in (
                lambda: runs.train(file, run),
                lambda: fit(shop.recipe(), shop.corpus(), run),
                lambda: runs.evaluate(run),
            ):
                try:
                    work()
                except IntertaskError as error:
                    refused.append(str(error))
            assert state(run) == before
        return usual(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", beside)
        runs.train(file, run)
    busy = (
        f"{run}: expected a run that no other process works on, found process {os.getpid()} on "
        f"{os.uname().nodename}, which does: train; wait for it, stop it, or choose another folder; "
        "nothing was changed"
    )
    assert refused == [busy] * 3
    steps = [line for line in (run / "journal.jsonl").read_text().splitlines() if '"step", ' in line]
    assert len(steps) == len(set(steps)) > 1
    runs.evaluate(run)  # and now it is free


def test_an_evaluation_beside_a_training_is_refused_and_the_other_way_round(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    file = trained.parent / "recipe.toml"
    before = state(run)
    with working_on(run, "train", WRITTEN), pytest.raises(IntertaskError, match="which does: train"):
        runs.evaluate(run)
    with working_on(run, "evaluate", {}), pytest.raises(IntertaskError, match="which does: evaluate"):
        runs.train(file, run)
    assert state(run) == before


def test_of_two_that_want_a_folder_at_once_one_has_it(tmp_path):
    inside, most, refused, done = [], [], [], []
    gate = threading.Barrier(8)

    def work():
        gate.wait()
        for _ in range(20):
            try:
                with working_on(tmp_path / "deep" / "run", "train", WRITTEN):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
                done.append(1)
            except WriteError:  # the folder was just being removed
                refused.append(1)
            except IntertaskError as error:
                assert "expected a run that no other process works on" in str(error)
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and done and len(done) + len(refused) == 160


def test_a_run_that_was_refused_leaves_no_folder(tmp_path):
    for error in (RecipeError("a", "b", "c"), KeyboardInterrupt()):
        with pytest.raises(type(error)), working_on(tmp_path / "deep" / "run", "train", WRITTEN):
            raise error
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_to_is_one_line(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to this user")
    (tmp_path / "run").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="Permission denied"):
        runs.train(shop.write_files(tmp_path), tmp_path / "run")


KILLED = """
import os, signal, sys
from pathlib import Path
from intertask.storage.files import Contents, written_aside
kind = Contents("parts", ("part",))
with written_aside(Path(sys.argv[1]), kind.refuse) as aside:
    aside.mkdir()
    (aside / "part").write_text("new")
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_goes_and_what_a_living_one_has_stays(tmp_path):
    place, kind = tmp_path / "place", Contents("parts", ("part",))
    command = [sys.executable, "-c", KILLED, str(place)]
    killed = subprocess.run([*command, "killed"], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    living = subprocess.Popen(
        [*command, "lives"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert living.stdout.readline() == "writing\n"
    assert not left.exists()
    (own,) = tmp_path.iterdir()
    with written_aside(place, kind.refuse) as aside:
        aside.mkdir()
        (aside / "part").write_text("mine")
    assert sorted(tmp_path.iterdir()) == sorted([own, place])
    living.communicate("")
    assert living.returncode == 0
    assert list(tmp_path.iterdir()) == [place] and (place / "part").read_text() == "new"
