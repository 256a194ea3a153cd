"""Several logs, each with tasks of its own, that train one encoder together."""

import json
import math

import polars as pl
import pytest
import torch

from intertask import Recommender
from intertask.artefact import num_weights
from intertask.errors import RecipeError
from intertask.evaluate.gains import stream_of
from intertask.fitting import experiment
from intertask.recipe import Recipe
from intertask.runs import run as runs
from intertask.runs.study import alone, study
from intertask.train.loop import Trainer
from tests import shop, worlds
from tests.cli.command import Command
from tests.train import runs as small

SLOTS = {"kind": "gated_slots", "num_shared": 1}
OTHER = {
    "data": {},
    "tasks": {
        "there": {"kind": "next_item"},
        "liked": {"kind": "response", "label": "rating", "at_least": 3},
    },
    "max_length": 4,
}
TOML = shop.TOML.replace(
    "[train]",
    """\
[communication]
kind = "gated_slots"

[streams.branch]
max_length = 6
weight = 0.5

[streams.branch.data.events]
path = "branch.csv"
behaviour = "action"

[streams.branch.tasks.visit]
kind = "next_item"

[train]""",
)


def recipe(**changes):
    stream = OTHER | changes.pop("stream", {})
    return Recipe.model_validate(
        small.recipe(communication=SLOTS).model_dump() | {"streams": {"far": stream}} | changes
    )


def corpora():
    return {
        "main": worlds.corpus(worlds.varied(num_users=60, longest=8)),
        "far": worlds.corpus(worlds.varied(num_users=30, num_items=9, longest=6, seed=4)),
    }


def fit(folder, **changes):
    return experiment.fit_streams(recipe(**changes), corpora(), folder)


def write_files(folder):
    events = shop.events(seed=7).rename({"visitor": "user", "sku": "item"}).drop("ts", "liked")
    events.with_columns(pl.col("item") + "-branch").write_csv(folder / "branch.csv")
    return shop.write_files(folder, TOML)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    return folder, fit(folder)


def test_the_encoder_and_the_exchange_are_one_and_the_rest_is_its_own(trained):
    one, other = (trained[1][name].model for name in ("main", "far"))
    assert one.encoder is other.encoder and one.communication is other.communication
    assert one.items is not other.items and one.items.weight_ID.shape != other.items.weight_ID.shape
    assert one.attached == other.attached == ["next", "high", "there", "liked"]


def test_parts_that_are_not_shared_are_its_own(tmp_path):
    fitted = fit(tmp_path, stream={"share": ["encoder"]})
    one, other = (fitted[name].model for name in ("main", "far"))
    assert one.encoder is other.encoder and one.communication is not other.communication
    assert (one.attached, other.attached) == (["next", "high"], ["there", "liked"])


def test_each_step_has_the_losses_of_one_stream(trained):
    steps = small.journal(trained[0], "step")
    losses = {line["stream"]: set(line["losses"]) for line in steps}
    assert losses == {"main": {"next", "high"}, "far": {"there", "liked"}}
    for line in steps:
        assert set(line["losses"]) <= losses[line["stream"]]


def test_the_epoch_is_chosen_by_all_tasks_of_all_streams(trained):
    metrics = small.journal(trained[0], "validation")[0]["metrics"]
    parts = {task: metrics[f"{task}/ndcg@10"] for task in ("next", "there")}
    parts |= {task: -1 / metrics[f"{task}/-log_loss"] for task in ("high", "liked")}
    parts_of_streams, _ = experiment.assembled(recipe(), corpora())
    bases = [part.examiner.bases() for part in parts_of_streams.values()]
    weights = {task: basis.weight for own in bases for task, basis in own.items()}
    total = sum(weights.values())
    whole = math.prod(parts[task] ** weight for task, weight in weights.items()) ** (1 / total)
    assert trained[1]["main"].trained.monitor == "all" and metrics["all"] == pytest.approx(whole)
    assert parts.keys() == weights.keys() and len(set(weights.values())) > 1


def test_edges_are_judged_by_the_stream_that_has_the_task(trained):
    verdicts = [line["verdicts"] for line in small.journal(trained[0], "edges")]
    readers = [sorted({verdict["reader"] for verdict in found}) for found in verdicts[:2]]
    assert readers == [["high", "next"], ["liked", "there"]]


def test_a_stopped_run_ends_as_one_that_was_not_stopped(trained, tmp_path, monkeypatch):
    usual = Trainer._step

    def stopping(self, *arguments):
        if self.state.step == 9:
            raise KeyboardInterrupt
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_step", stopping)
        fit(tmp_path)
    again = fit(tmp_path)
    for name, fitted in trained[1].items():
        whole = small.weights(fitted)
        assert all(torch.equal(weight, whole[key]) for key, weight in small.weights(again[name]).items())


@pytest.mark.parametrize("kind", ["equal", "uncertainty", "dwa", "famo", "gradnorm", "aggregation"])
def test_every_balance_takes_steps_of_one_stream_at_a_time(kind, tmp_path):
    fitted = fit(tmp_path, balance=kind)
    for one in fitted.values():
        assert all(weight.isfinite().all() for weight in one.model.parameters())
    last = {}
    for line in small.journal(tmp_path, "step"):
        last |= line["losses"]
    assert set(last) == {"next", "high", "there", "liked"}


def test_other_data_in_a_stream_are_another_run(tmp_path):
    fit(tmp_path)
    changed = corpora() | {"far": worlds.corpus(worlds.varied(num_users=31, num_items=9, longest=6))}
    with pytest.raises(RecipeError, match="found one of another run"):
        experiment.fit_streams(recipe(), changed, tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"stream": {"tasks": {"next": {"kind": "next_item"}}}},
            "tasks of different names, not two named 'next', of the streams main and far",
        ),
        ({"streams": {"main": OTHER}}, "other than main, not 'main'"),
        ({"streams": {"a/b": OTHER}}, "letters, digits and _"),
        ({"stream": {"weight": -1.0}}, r"\[streams.far\] weight: expected greater than 0"),
        ({"stream": {"weight": math.nan}}, r"\[streams.far\] weight: expected a finite number"),
        ({"stream": {"waight": 1.0}}, r"\[streams.far\] waight: .* did you mean 'weight'"),
        ({"stream": {"input": "event"}}, r"\[streams.far.input\] kind: .* did you mean 'events'"),
        ({"streams": 3}, r"\[streams\]: expected tables \[streams.NAME\], found 3"),
        ({"stream": {"tasks": {}}}, r"\[streams.far.tasks\]: expected at least one table"),
        ({"stream": {"share": ["heads"]}}, "'encoder' or 'communication'"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(changes, words):
    with pytest.raises((ValueError, RecipeError), match=words):
        recipe(**changes)


def test_an_encoder_that_reads_times_needs_them_in_every_log(tmp_path):
    logs = corpora()
    sequences = logs["far"].sequences
    untimed = worlds.corpus(type(sequences)(**{**vars(sequences), "times": None}))
    with pytest.raises(RecipeError, match=r"\[encoder\]: expected a log with times"):
        experiment.fit_streams(
            recipe(encoder={"kind": "attention", "time_bias": "history"}), logs | {"far": untimed}, tmp_path
        )
    assert not any(tmp_path.iterdir())


def test_the_library_says_how_several_logs_are_trained():
    with pytest.raises(RecipeError, match=r"\[streams\]: expected a recipe of one log, found far beside it"):
        Recommender(recipe()).fit(corpora()["main"])


def test_the_command_reads_the_log_that_is_named(tmp_path, monkeypatch, capsys):
    intertask, file = Command(monkeypatch, capsys), str(write_files(tmp_path))
    own, branch = (
        json.loads(intertask("data", file, "--json", *words).out) for words in ([], ["--stream", "branch"])
    )
    assert own["labels"] == ["liked"] and branch["labels"] == []
    done = intertask("data", file, "--stream", "brunch")
    assert done.code and "--stream: expected one of main, branch, found 'brunch'" in done.err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shops")
    runs.train(write_files(folder), folder / "run")
    return folder / "run"


def test_every_stream_has_a_model_that_answers_in_its_own_ids(run):
    assert [place.name for place in runs.stream_folders(run)] == ["run", "branch"]
    shop_model, branch = (Recommender.load(place / "model") for place in runs.stream_folders(run))
    assert branch.recommend(users=[shop.user_id(1)], k=3)["item"].str.ends_with("-branch").all()
    assert not shop_model.recommend(users=[shop.user_id(1)], k=3)["item"].str.ends_with("-branch").any()
    assert torch.equal(next(shop_model.model.encoder.parameters()), next(branch.model.encoder.parameters()))


def test_a_question_to_a_run_names_the_models_of_its_other_streams(run, monkeypatch, capsys):
    branch = run / "streams" / "branch"
    told = Command(monkeypatch, capsys).refused("predict", str(run), "--row", "age=3")
    assert told.endswith(f"the run has models of other data: {branch}")
    told = Command(monkeypatch, capsys).refused("predict", str(branch), "--row", "age=3")
    assert "other data" not in told


def test_the_command_evaluates_every_stream(run, monkeypatch, capsys):
    intertask = Command(monkeypatch, capsys)
    done = intertask("evaluate", str(run), "--samples", "0")
    assert done.code == 0
    assert done.out.count("report: ") == 2 and "visit, history masked" in done.out
    as_json = json.loads(intertask("evaluate", str(run), "--samples", "0", "--json").out)
    assert {row["task"] for row in as_json["streams"]["branch"]["rankings"]} == {"visit"}
    assert stream_of(run, "visit") == run / "streams" / "branch" and stream_of(run, "next") == run


def test_a_study_sets_each_task_against_itself_on_its_own_log(tmp_path):
    found = study(write_files(tmp_path), tmp_path / "study", [1], "validation")
    assert [row.task for row in found.tasks] == ["next", "buys", "liked", "visit"]
    alone = Recipe.from_json(tmp_path / "study" / "alone-visit-1" / "recipe.json")
    assert alone.max_length == 6 and not alone.streams and list(alone.tasks) == ["visit"]
    matched, joint = (
        num_weights(tmp_path / "study" / run / "model")
        for run in ("matched-visit-1", "together-1/streams/branch")
    )
    assert matched == pytest.approx(joint, rel=0.05)  # the other log's items are no part of its model
    assert set(found.closed_edges) <= {"next", "buys", "liked", "visit"}
    assert [row.readers for row in found.readings] == [["next", "buys", "liked"], ["visit"]]


def together(folder, **changes):
    """Each step takes a batch of every stream."""
    train = small.recipe().model_dump()["train"] | {"step": "together"}
    return fit(folder, train=train, **changes)


def test_together_each_step_learns_from_a_batch_of_every_stream(tmp_path):
    together(tmp_path)
    steps = small.journal(tmp_path, "step")
    assert all(set(step["losses"]) == {"next", "high", "there", "liked"} for step in steps)
    assert {step["stream"] for step in steps} == {"main, far"}
    epochs = max(step["epoch"] for step in steps) + 1
    fit(tmp_path / "turns")
    turns = small.journal(tmp_path / "turns", "step")
    first = [step["stream"] for step in turns if step["epoch"] == 0]
    assert len(steps) == epochs * max(first.count(name) for name in ("main", "far"))


def test_together_the_losses_of_a_stream_count_by_its_weight(tmp_path):
    for name, weight in (("light", 1e-6), ("even", 1.0)):
        together(tmp_path / name, stream={"weight": weight}, balance={"kind": "equal"})
    first = [small.journal(tmp_path / name, "step")[0] for name in ("light", "even")]
    assert first[0]["losses"] == first[1]["losses"]
    own = sum(first[0]["losses"][task] for task in ("next", "high"))
    assert first[0]["total"] == pytest.approx(own / 4, rel=1e-4)
    assert first[1]["total"] == pytest.approx(sum(first[1]["losses"].values()) / 4)


def test_together_a_stopped_run_ends_as_one_that_was_not_stopped(tmp_path, monkeypatch):
    usual = Trainer._step

    def stopping(self, *arguments):
        if self.state.step == 5:
            raise KeyboardInterrupt
        return usual(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_step", stopping)
        together(tmp_path / "stopped")
    again, whole = (together(tmp_path / name) for name in ("stopped", "whole"))
    for name, fitted in whole.items():
        for key, weight in fitted.model.state_dict().items():
            assert torch.equal(weight, again[name].model.state_dict()[key]), key


def test_together_needs_several_streams(tmp_path):
    with pytest.raises(
        RecipeError, match=r'\[train\] step: expected "turns", where there is one stream, found'
    ):
        together(tmp_path, streams={})
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_study_of_a_recipe_that_trains_together_lets_each_task_stand_alone(tmp_path):
    recipe = small.recipe(train=small.recipe().model_dump()["train"] | {"step": "together"})
    assert alone(recipe, "next").train.step == "turns"


def test_a_balance_that_compares_gradients_of_one_batch_takes_turns(tmp_path):
    with pytest.raises(RecipeError, match="expected \"turns\" with a balance of kind 'gradnorm'"):
        together(tmp_path, balance={"kind": "gradnorm"})
