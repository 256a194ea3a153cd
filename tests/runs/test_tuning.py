"""Tuning: the space is read or refused, trials go on after a kill, nothing worse than the recipe wins."""

import json
import tomllib
from types import SimpleNamespace

import pytest

pytest.importorskip("optuna", reason='pip install "intertask[tune]"')

from intertask.errors import IntertaskError, RecipeError, RequestError
from intertask.recipe import Recipe
from intertask.runs import space, tuning
from intertask.runs.space import Between, Choice
from intertask.terminal.progress import Epoch, tell
from tests import shop

SPACE = """
[tune.space]
width = [4, 8]
"train.learning_rate" = {low = 1e-3, high = 1e-1, log = true}
"""


@pytest.fixture
def file(tmp_path):
    return shop.write_files(tmp_path, shop.TOML.replace("epochs = 2", "epochs = 1") + SPACE)


def test_a_space_is_read_with_its_values_and_the_recipe_trains_without_it(file):
    assert space.read(file) == {
        "width": Choice((4, 8)),
        "train.learning_rate": Between(1e-3, 1e-1, log=True),
    }
    assert Recipe.read(file).width == 8
    assert space.changes({"width": 4, "encoder": "gru"}) == ['encoder="gru"', "width=4"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected keys of the recipe with their values"),
        ("[tune.space]\n", "expected keys of the recipe"),
        ("[tune]\nspaces = 1\n", "expected keys of the recipe"),
        ("[tune.space]\nwidth = [4]\n", "a list of two values at least"),
        ("[tune.space]\nwidth = 4\n", "a list of values, or"),
        ("[tune.space]\nwidth = {low = 4}\n", "a list of values, or"),
        ("[tune.space]\nwidth = {low = 4, high = 4}\n", "numbers, low below high"),
        ("[tune.space]\nwidth = {low = 'a', high = 4}\n", "numbers, low below high"),
        ("[tune.space]\nwidth = {low = 0, high = 4, log = true}\n", "low above zero"),
        ("[tune.space]\nwidth = {low = 1, high = 4, setp = 2}\n", "a list of values, or"),
    ],
)
def test_what_is_no_space_is_refused_in_one_line(tmp_path, text, words):
    file = shop.write_files(tmp_path, shop.TOML + text)
    with pytest.raises(RecipeError) as caught:
        space.read(file)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_it_finds_writes_and_goes_on_where_it_was(file, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "SEEDS", 1)
    evaluated, trained = [], []
    own = tuning.runs.train

    def train(recipe, folder, seed, changes):
        trained.append(folder.name)
        if len(trained) == 3:
            raise KeyboardInterrupt  # killed in the middle of the second trial
        return own(recipe, folder, seed, changes)

    def evaluate(folder):
        evaluated.append(folder.name)
        (folder / "evaluation.json").write_text("{}")

    monkeypatch.setattr(tuning.runs, "train", train)
    monkeypatch.setattr(tuning.runs, "evaluate", evaluate)
    place = tmp_path / "tuning"
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(file, place, 60, most=2, say=lambda line: None)
    found = tuning.tune(file, place, 60, most=2, say=lambda line: None)
    assert trained == ["0000-1", "0001-1", "0002-1", "0002-1"]  # nothing was trained twice
    assert [one.number for one in found.trials] == [0, 1, 2]
    assert found.means[found.winner] == max(found.means.values()) >= found.means[0]
    assert evaluated == list(dict.fromkeys(["0000-1", f"{found.winner:04}-1"]))  # each once
    best = tomllib.loads((place / "best.toml").read_text())
    values = found.trials[found.winner].values
    assert best["width"] == values.get("width", 8) and "tune" not in best
    assert Recipe.read(place / "best.toml").data.events.path.is_file()
    assert json.loads((place / "tuned.json").read_text())["winner"] == found.winner
    again = tuning.tune(file, place, 60, most=2, say=lambda line: None)
    assert again.winner == found.winner and len(trained) == 4
    assert "<table" in (place / "report.html").read_text()


def test_a_folder_of_something_else_and_too_little_time_are_refused(file, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("y")
    with pytest.raises(RequestError, match="a new folder, or that of a tuning"):
        tuning.tune(file, tmp_path / "mine", 1)
    with pytest.raises(IntertaskError, match="time for the recipe as it stands"):
        tuning.tune(file, tmp_path / "short", 1e-6, say=lambda line: None)
    file.write_text(file.read_text() + "\n# another\n")
    with pytest.raises(RequestError, match="the tuning of this recipe"):
        tuning.tune(file, tmp_path / "short", 1)


@pytest.mark.parametrize("epoch_seconds", [1.0, 4.0, 8.0])
@pytest.mark.parametrize("reading_seconds", [0.5, 5.0, 25.0])
def test_the_time_is_kept_within_a_twentieth(file, tmp_path, monkeypatch, epoch_seconds, reading_seconds):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(tuning.time, "monotonic", lambda: clock.now)

    def train(recipe, folder, seed, changes):
        for number in range(12):
            clock.now += epoch_seconds
            tell(Epoch(number, 12, {}, {"next/ndcg@10": 0.1}, best=not number, seconds=epoch_seconds))
        return SimpleNamespace(trained=SimpleNamespace(monitor="next/ndcg@10", best_metric=0.1 + 0.01 * seed))

    def evaluate(folder):
        clock.now += reading_seconds
        folder.mkdir(parents=True)
        (folder / "evaluation.json").write_text("{}")

    monkeypatch.setattr(tuning.runs, "train", train)
    monkeypatch.setattr(tuning.runs, "evaluate", evaluate)
    found = tuning.tune(file, tmp_path / "tuning", 10, say=lambda line: None)
    assert 0.75 * 600 < clock.now <= 1.05 * 600
    assert found.seconds == pytest.approx(clock.now - (reading_seconds if found.winner else 0), abs=1)
    assert len(found.trials) > 3
