"""The model that is served has seen everything; what is measured is the one that has not."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from intertask import Recommender
from intertask.balance.equal import WeightedSum
from intertask.errors import LeakageError
from intertask.fitting import experiment
from intertask.runs import run as runs
from intertask.train import checkpoint
from intertask.train.stream import Stream
from intertask.train.whole import Plan, WholeTrainer
from tests import shop, worlds
from tests.train import runs as small

REFIT = shop.TOML.replace("epochs = 2", "epochs = 3\nrefit = true").replace("refit = false\n", "")


def trained(folder, changes=()):
    folder.mkdir(exist_ok=True)
    file = shop.write_files(folder, REFIT)
    return runs.train(file, folder / "run", changes=changes), folder / "run"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A run that trains once more, and one that does not."""
    folder = tmp_path_factory.mktemp("refit")
    return {
        name: trained(folder / name, changes)[1]
        for name, changes in (("refit", ()), ("plain", ("train.refit=false",)))
    }


def weights(model: Path):
    return load_file(model / "weights.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def counts(model: Path):
    return load_file(model / "histories.safetensors")["popularity"].sum()


def test_what_is_measured_is_the_model_that_a_run_without_it_would_have(both):
    assert same(weights(both["refit"] / "evaluated"), weights(both["plain"] / "model"))
    assert not (both["plain"] / "evaluated").exists()
    found = [runs.evaluate(both[name]).model_dump() for name in ("refit", "plain")]
    (note,) = [note for note in found[0]["notes"] if "trained once more on all events" in note]
    assert [other for other in found[0]["notes"] if other != note] == found[1]["notes"]
    assert found[0]["rankings"] == found[1]["rankings"] and found[0]["rankings"]
    assert found[0]["responses"] == found[1]["responses"]


def test_what_is_served_was_trained_on_every_event(both):
    served, measured = (both["refit"] / name for name in ("model", "evaluated"))
    assert not same(weights(served), weights(measured))
    assert counts(served) == shop.corpus().sequences.num_events > counts(measured)
    assert Recommender.load(both["refit"]).refitted
    kinds = [json.loads((place / "schema.json").read_text())["weights"] for place in (served, measured)]
    assert kinds == ["refitted", "evaluated"]


def test_what_is_served_is_calibrated_as_what_was_measured(both):
    served, measured = (weights(both["refit"] / name) for name in ("model", "evaluated"))
    names = [name for name in served if name.endswith(".calibration")]
    assert any(served[name] != 1 for name in names)
    assert all(served[name] == pytest.approx(measured[name]) for name in names)


def test_a_model_that_has_seen_everything_is_not_evaluated(both):
    with pytest.raises(LeakageError, match="trained once more on all events, to serve; evaluate the one in"):
        Recommender.load(both["refit"]).evaluate(run=both["refit"])


def test_a_run_that_was_stopped_while_it_trained_once_more_goes_on_to_the_bit(both, tmp_path, monkeypatch):
    class StoppedError(Exception):
        """What stops the run."""

    usual = WholeTrainer._step

    def stopping(self, *arguments):
        if self.state.step == 3:
            raise StoppedError
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(WholeTrainer, "_step", stopping)
        trained(tmp_path)
    assert not (tmp_path / "run" / "model").exists()
    assert runs.measured_folder(tmp_path / "run") == tmp_path / "run" / "evaluated"
    trained(tmp_path)
    for name in ("model", "evaluated"):
        assert same(weights(tmp_path / "run" / name), weights(both["refit"] / name))


def test_a_finished_run_may_train_once_more_later(both, tmp_path):
    trained(tmp_path, ["train.refit=false"])
    trained(tmp_path)
    for name in ("model", "evaluated"):
        assert same(weights(tmp_path / "run" / name), weights(both["refit"] / name))


def planned(folder, epochs, own_epochs):
    recipe, corpus = small.recipe(), worlds.corpus(worlds.varied(num_users=15, longest=6))
    part = experiment.trainable("main", recipe, corpus, whole=True)
    streams = [Stream.of(part.model, part.feed, recipe.train)]
    balance = WeightedSum(dict.fromkeys(recipe.tasks, 1.0))
    folder.mkdir()
    WholeTrainer(streams, balance, Plan(epochs, own_epochs), recipe.train, 3, "run", folder).run()
    return part, checkpoint.weights(part.model)


def test_a_head_stops_after_its_own_epoch_and_the_rest_trains_on(tmp_path):
    _, short = planned(tmp_path / "short", 1, {})
    _, long = planned(tmp_path / "long", 3, {})
    part, mixed = planned(tmp_path / "mixed", 3, {"high": 0})
    for name, weight in mixed.items():
        own = name.startswith("tasks.high.") and ".items." not in name
        assert torch.equal(weight, (short if own else long)[name]), name
    assert sum(part.feed.lengths) == sum(worlds.varied(num_users=15, longest=6).lengths - 1)


@pytest.mark.filterwarnings("ignore::UserWarning")  # small logs are warned of
def test_all_logs_of_several_streams_are_trained_on_once_more(tmp_path):
    golden = Path(__file__).parents[1] / "golden"
    for name in ("events.csv", "visits.csv"):
        (tmp_path / name).write_bytes((golden / name).read_bytes())
    text = (golden / "streams_attention.toml").read_text()
    (tmp_path / "recipe.toml").write_text(text)
    runs.train(tmp_path / "recipe.toml", tmp_path / "run", changes=["train.refit=true", "train.epochs=1"])
    for folder in runs.stream_folders(tmp_path / "run"):
        assert counts(folder / "model") > counts(folder / "evaluated")
        runs.evaluate(folder)
