"""A head that another task's epoch has spoilt is set back to its own best one; no other bit changes."""

import json
import math

import pytest
import torch

from intertask.data.sequences import from_lists
from intertask.events.examiner import EventExaminer
from intertask.fitting import experiment
from intertask.report.journal import read
from intertask.train.courses import Course, Verdict, followed
from intertask.train.loop import Trainer
from tests import worlds
from tests.train import runs

RATES = {
    "next": {"kind": "next_item"},
    "high": {"kind": "response", "label": "rating", "at_least": 3, "learning_rate": 0.05},
    "stars": {"kind": "response", "label": "rating", "form": "regression", "learning_rate": 0.05},
}
OPTIONS = {"epochs": 8, "learning_rate": 0.01, "average": 0.0, "schedule": "constant", "warmup_steps": 9}
OPTIONS |= {"monitor": "next/ndcg@10"}


def by_chance(users=30, length=9, items=20):
    """Walks along a chain, rated by chance: whoever learns the ratings learns them by heart."""
    random = torch.Generator().manual_seed(0)
    ratings = torch.randint(1, 6, (users, length), generator=random).double().tolist()
    walks = from_lists(worlds.chain(items, users, length), items, labels={"rating": ratings})
    return worlds.corpus(walks, ("view",))


def trained(folder, tasks=RATES, **train):
    recipe = runs.recipe(
        tasks=tasks,
        train=OPTIONS | train,
        encoder={"kind": "gru", "dropout": 0.0},
        communication="shared",
        balance={"kind": "entropy", "labels": 0.0},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventExaminer, "calibrate", lambda self, model: None)  # which comes after it
        return experiment.fit(recipe, by_chance(), folder)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Runs without and with heads that are set back."""
    folder = tmp_path_factory.mktemp("heads")
    return folder, {own: trained(folder / str(own), own_epochs=own) for own in (False, True)}


def said(fitted):
    """What is said of tasks whose answers were spoilt."""
    return [words for words in fitted.trained.advice if words.startswith(("Task high: ", "Task stars: "))]


def head_of(name):
    return name.startswith(("tasks.high.", "tasks.stars.")) and ".items." not in name


def test_spoilt_heads_answer_better_and_nothing_else_changes(both):
    folder, fitted = both
    weights = {own: runs.weights(one) for own, one in fitted.items()}
    changed = {
        name for name, weight in weights[False].items() if not torch.equal(weight, weights[True][name])
    }
    assert changed and all(map(head_of, changed))
    lines = {line["task"]: line for line in runs.journal(folder / "True", "head")}
    assert {name.split(".")[1] for name in changed} == lines.keys()
    assert any(line["own_head"] is not None for line in lines.values())
    assert read(folder / "True" / "journal.jsonl").told == said(fitted[True])
    for name, line in lines.items():
        own = f"{name}/{line['metric']}"
        course = [epoch["metrics"][own] for epoch in runs.journal(folder / "True", "validation")]
        assert line["course"] == {
            "best": max(course),
            "epoch": course.index(max(course)),
            "kept": course[fitted[True].trained.best_epoch],
        }
        assert line["own_head"] is None or line["own_head"] > line["course"]["kept"]


def test_the_journal_says_what_the_model_answers(both):
    folder, fitted = both
    recipe = runs.recipe(tasks=RATES)
    found = experiment.trainable("main", recipe, by_chance()).examiner(fitted[True].model)
    for line in runs.journal(folder / "True", "head"):
        ended = line["course"]["kept"] if line["own_head"] is None else line["own_head"]
        assert found[f"{line['task']}/{line['metric']}"] == pytest.approx(ended, abs=1e-6)


def test_a_head_that_is_set_back_is_the_one_of_its_own_best_epoch(both, tmp_path):
    folder, fitted = both
    line = next(line for line in runs.journal(folder / "True", "head") if line["own_head"] is not None)
    shorter = trained(
        tmp_path, epochs=line["course"]["epoch"] + 1, monitor=f"{line['task']}/{line['metric']}"
    )
    assert shorter.trained.best_epoch == line["course"]["epoch"]
    own = f"tasks.{line['task']}.head."
    found = {name: weight for name, weight in runs.weights(shorter).items() if name.startswith(own)}
    assert found and all(
        torch.equal(weight, runs.weights(fitted[True])[name]) for name, weight in found.items()
    )


def test_a_head_that_is_a_little_better_is_set_back_and_nothing_is_said(tmp_path):
    quiet = {
        name: {key: own for key, own in task.items() if key != "learning_rate"}
        for name, task in RATES.items()
    }
    fitted = trained(tmp_path, quiet)
    lines = runs.journal(tmp_path, "head")
    assert {line["task"] for line in lines} == {"high", "stars"}
    for line in lines:
        course = Course(**line["course"])
        assert course.kept < line["own_head"] and not course.spoilt
    assert not said(fitted) and not read(tmp_path / "journal.jsonl").told
    assert fitted.trained.own_epochs == {line["task"]: line["course"]["epoch"] for line in lines}


def test_what_was_done_is_said_in_one_line_a_task(both):
    _, fitted = both
    for own, one in fitted.items():
        told = said(one)
        assert told and not any("\n" in words for words in told)
        assert any("which it now has" in words for words in told) is own


def test_a_finished_run_ends_with_the_same_heads_and_says_so_once(both):
    folder, fitted = both
    before = runs.journal(folder / "True", "head")
    again = trained(folder / "True", own_epochs=True)
    assert all(
        torch.equal(weight, runs.weights(again)[name]) for name, weight in runs.weights(fitted[True]).items()
    )
    assert runs.journal(folder / "True", "head") == before
    assert again.trained.advice == fitted[True].trained.advice


@pytest.mark.parametrize("after", [3, 8])
def test_a_run_that_was_stopped_keeps_the_same_heads(after, both, tmp_path, monkeypatch):
    class StoppedError(Exception):
        """What stops the run."""

    usual = Trainer._save

    def stopping(self):
        usual(self)
        if self.state.epoch == after:
            raise StoppedError

    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(Trainer, "_save", stopping)
        trained(tmp_path)
    again, whole = trained(tmp_path), both[1][True]
    assert all(torch.equal(weight, runs.weights(again)[name]) for name, weight in runs.weights(whole).items())


def test_a_checkpoint_of_a_version_that_kept_no_heads_goes_on(tmp_path):
    trained(tmp_path, epochs=2)
    (newest,) = (tmp_path / "checkpoints").iterdir()
    progress = json.loads((newest / "progress.json").read_text())
    del progress["courses"]
    (newest / "progress.json").write_text(json.dumps(progress))
    (newest / "heads.safetensors").unlink()
    assert not said(trained(tmp_path, epochs=2))


def test_the_steps_of_a_funnel_are_set_back_in_order(tmp_path):
    tasks = {
        "high": {"kind": "response", "label": "rating", "at_least": 4, "given": "some"},
        "next": RATES["next"],
        "some": {"kind": "response", "label": "rating", "at_least": 2},
    }
    trained(tmp_path, tasks, monitor="next/ndcg@10")
    names = [line["task"] for line in runs.journal(tmp_path, "head")]
    assert names == sorted(names, key=["some", "high"].index) and "high" in names


@pytest.mark.parametrize("seed", range(3))
def test_a_course_holds_the_best_epoch_and_the_kept_one(seed):
    random = torch.Generator().manual_seed(seed)
    values = (-torch.rand(8, generator=random)).tolist()
    values[3] = math.nan
    config = runs.recipe(tasks=RATES).tasks
    courses, kept = {}, None
    for epoch, value in enumerate(values):
        better = epoch in (0, 2, 5)
        kept = value if better else kept
        courses = followed(courses, config, {"high/-log_loss": value}, epoch, better)
    best, epoch = max((value, epoch) for epoch, value in enumerate(values) if not math.isnan(value))
    assert courses == {"high": Course(best, epoch, kept)}


@pytest.mark.parametrize(
    ("course", "own_head", "base", "worth"),
    [
        (Course(-0.62, 3, -2.0), None, -0.69, True),
        (Course(-0.62, 3, -2.0), -0.63, -0.69, True),
        (Course(-0.62, 3, -0.625), None, -0.69, False),
        (Course(-0.71, 5, -0.71), None, -0.69, True),
        (Course(-0.71, 5, -0.71), None, None, False),
        (Course(-0.70, 1, -0.80), -0.75, -0.69, True),
    ],
)
def test_who_is_worse_than_at_its_best_or_than_one_answer_to_everything_is_worth_a_word(
    course, own_head, base, worth
):
    verdict = Verdict("liked", "-log_loss", course, own_head, base)
    assert verdict.worth_a_word is worth
    words = verdict.words("next/ndcg@10", 5)
    ended = course.kept if own_head is None else own_head
    assert ("one answer to everything" in words) is (base is not None and ended < base)
    assert ("which next/ndcg@10 chose" in words) is (course.epoch != 5)
    assert f"{-ended:.4g}" in words and "-0" not in words
