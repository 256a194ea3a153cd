"""A run that was stopped, however, ends with the same bits as one that never was."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from intertask.inputs import Input
from intertask.inputs.events import Config as Events
from intertask.recommender import Recommender
from intertask.storage.locks import take
from intertask.train import checkpoint
from intertask.train.loop import Trainer
from tests.train import runs

ROOT = Path(__file__).parents[2]


class StoppedError(Exception):
    """What stops a run in these tests."""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, runs.fit(folder)


def assert_same_run(folder, fitted, uninterrupted):
    whole_folder, whole = uninterrupted
    for name, weight in runs.weights(whole).items():
        assert torch.equal(runs.weights(fitted)[name], weight), name
    assert runs.journal(folder, "step") == runs.journal(whole_folder, "step")
    assert runs.journal(folder, "validation") == runs.journal(whole_folder, "validation")
    assert (fitted.trained.best_epoch, fitted.trained.best_metric) == (
        whole.trained.best_epoch,
        whole.trained.best_metric,
    )


def test_the_run_is_long_enough_to_be_stopped(uninterrupted):
    folder, whole = uninterrupted
    steps = runs.journal(folder, "step")
    assert [line["step"] for line in steps] == list(range(1, len(steps) + 1))
    assert whole.trained.epochs == 3 and len(steps) > 15 and len(steps) % 3 == 0
    assert len({tuple(line["losses"].values()) for line in steps}) == len(steps)


@pytest.mark.parametrize("stop", [0, 1, 4, 5, 11])
def test_a_run_stopped_within_an_epoch_resumes_exactly(stop, tmp_path, uninterrupted, monkeypatch):
    usual = Trainer._step

    def stopping(self, *arguments):
        if self.state.step == stop:
            raise StoppedError
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Trainer, "_step", stopping)
        runs.fit(tmp_path)
    assert_same_run(tmp_path, runs.fit(tmp_path), uninterrupted)
    assert len(runs.journal(tmp_path, "resume")) == (1 if stop >= 4 else 0)


def test_a_run_stopped_between_the_validation_and_its_checkpoint_resumes_exactly(
    tmp_path, uninterrupted, monkeypatch
):
    # A checkpoint after every step, so that the newest one already holds the last step of the epoch.
    usual = Trainer._close_epoch

    def stopping(self, journal):
        usual(self, journal)
        if self.state.epoch == 2:
            raise StoppedError

    every_step = {"train": {"checkpoint_steps": 1}}
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Trainer, "_close_epoch", stopping)
        runs.fit(tmp_path, **every_step)
    assert_same_run(tmp_path, runs.fit(tmp_path, **every_step), uninterrupted)


def test_a_finished_run_is_not_trained_again(tmp_path, uninterrupted):
    runs.fit(tmp_path)
    assert_same_run(tmp_path, runs.fit(tmp_path), uninterrupted)
    assert len(runs.journal(tmp_path, "stop")) == 1


@pytest.mark.parametrize(("where", "when"), [("step", 7), ("checkpoint", 2)])
def test_a_run_killed_by_the_system_resumes_exactly(where, when, tmp_path, uninterrupted):
    killed = subprocess.run(
        [sys.executable, "-m", "tests.train.runs", str(tmp_path), where, str(when)],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert 0 < len(runs.journal(tmp_path, "step")) < len(runs.journal(uninterrupted[0], "step"))
    assert_same_run(tmp_path, runs.fit(tmp_path), uninterrupted)


def test_nothing_half_written_and_nothing_old_is_left_after_a_resume(tmp_path):
    runs.fit(tmp_path)
    newest = next((tmp_path / "checkpoints").iterdir())
    # As of a run that was killed after its last checkpoint, before it could delete anything.
    shutil.copytree(newest, newest.parent / "checkpoint-000000002")
    (newest.parent / "checkpoint-000000001").mkdir()
    shutil.copy(newest / "progress.json", newest.parent / "checkpoint-000000001")
    half = newest.parent / ".intertask-0123456789abcdef" / "new" / "checkpoint-000000009"
    half.mkdir(parents=True)
    take(half.parents[1] / "writer.lock", half.name).release()
    runs.fit(tmp_path)
    assert list(newest.parent.iterdir()) == [newest]


def test_what_somebody_else_keeps_among_the_checkpoints_stays(tmp_path):
    whole = runs.fit(tmp_path / "whole")
    runs.fit(tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    newest = next(folder.iterdir())
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "progress.json").write_text("mine")
    (folder / "checkpoint-000000001").symlink_to(tmp_path / "precious")
    shutil.copytree(newest, folder / "checkpoint-000000002")
    (folder / "checkpoint-000000002" / "notes.txt").write_text("keep")
    shutil.copytree(newest, folder / "checkpoint-best")
    (folder / "checkpoint-999999999").write_text("a file")
    (folder / ".checkpoint-000000004.abcdefgh").mkdir()
    (folder / ".intertask-mine").mkdir()
    (folder / ".intertask-0123456789abcdef").mkdir()
    (folder / ".intertask-0123456789abcdef" / "notes.txt").write_text("no lock in it: not ours")
    before = sorted(folder.rglob("*"))
    # The newest is too old: the run goes on, writes another and deletes the one that it read.
    again = runs.fit(tmp_path / "run")
    assert all(torch.equal(w, runs.weights(again)[n]) for n, w in runs.weights(whole).items())
    assert sorted(folder.rglob("*")) == before
    assert (tmp_path / "precious" / "progress.json").read_text() == "mine"


@pytest.mark.parametrize("workers", [0, 3])
def test_the_number_of_workers_changes_nothing(workers, tmp_path, uninterrupted):
    assert_same_run(tmp_path, runs.fit(tmp_path, train={"workers": workers}), uninterrupted)


def test_another_seed_gives_another_run(tmp_path, uninterrupted):
    fitted = runs.fit(tmp_path, seed=4)
    assert not torch.equal(fitted.model.items.weight_ID, uninterrupted[1].model.items.weight_ID)


def stopped(folder, monkeypatch, **changes):
    """A run that was stopped in its seventh step."""
    usual = Trainer._step

    def stopping(self, *arguments):
        if self.state.step == 6:
            raise StoppedError
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Trainer, "_step", stopping)
        runs.fit(folder, **changes)
    return folder


def test_a_run_that_updates_the_rows_it_read_alone_resumes_exactly(tmp_path, monkeypatch, uninterrupted):
    monkeypatch.setattr("intertask.model.network.SPARSE_FROM", 1)
    whole = tmp_path / "whole", runs.fit(tmp_path / "whole")
    assert whole[1].model.items.embedding.sparse and not uninterrupted[1].model.items.embedding.sparse
    half = stopped(tmp_path / "stopped", monkeypatch)
    assert_same_run(half, runs.fit(half), whole)
    assert not torch.equal(whole[1].model.items.weight_ID, uninterrupted[1].model.items.weight_ID)


@pytest.mark.parametrize("kind", ["uncertainty", "dwa", "famo", "gradnorm", "aggregation"])
def test_a_balance_that_learns_resumes_exactly(kind, tmp_path, monkeypatch, uninterrupted):
    balance = {"kind": kind}
    whole = tmp_path / "whole", runs.fit(tmp_path / "whole", balance=balance)
    half = stopped(tmp_path / "stopped", monkeypatch, balance=balance)
    assert_same_run(half, runs.fit(half, balance=balance), whole)
    assert not torch.equal(whole[1].model.items.weight_ID, uninterrupted[1].model.items.weight_ID)


def test_a_small_log_is_not_saved_after_each_epoch_and_resumes_exactly(tmp_path, monkeypatch):
    rarely = {"train": {"checkpoint_steps": 1000}}
    saved, usual = [], Trainer._save
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", lambda self: (saved.append(self.state.epoch), usual(self)))
        whole = runs.fit(tmp_path / "whole", **rarely)
    assert saved == [3]  # at the end alone
    folder = stopped(tmp_path / "stopped", monkeypatch, **rarely)
    assert_same_run(folder, runs.fit(folder, **rarely), (tmp_path / "whole", whole))


class Normed(Input):
    """An input whose states are normed by running means, as a model of another origin may have them."""

    def __init__(self, whole):
        super().__init__()
        self.whole, self.norm = whole, torch.nn.BatchNorm1d(8)
        self.items = whole.items

    def forward(self, fields):
        embedded = self.whole(fields)
        return replace(embedded, hidden_BLD=self.norm(embedded.hidden_BLD.transpose(1, 2)).transpose(1, 2))


def test_running_means_survive_a_stop_and_the_artefact_to_the_bit(tmp_path, monkeypatch):
    usual = Events.build
    monkeypatch.setattr(Events, "build", lambda *arguments: Normed(usual(*arguments)))
    whole = runs.fit(tmp_path / "whole")
    means = runs.weights(whole)["input.norm.running_mean"]
    assert means.abs().max() > 0 and "input.norm.num_batches_tracked" in runs.weights(whole)
    folder = stopped(tmp_path / "stopped", monkeypatch)
    fitted = runs.fit(folder)
    assert_same_run(folder, fitted, (tmp_path / "whole", whole))
    Recommender.trained(runs.recipe(), fitted, None).save(tmp_path / "model")
    loaded = checkpoint.weights(Recommender.load(tmp_path / "model").model)
    assert loaded.keys() == runs.weights(whole).keys()
    assert all(torch.equal(loaded[name], weight) for name, weight in runs.weights(whole).items())
