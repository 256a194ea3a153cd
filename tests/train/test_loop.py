import math

import numpy as np
import pytest
import torch

from intertask.balance.equal import WeightedSum
from intertask.balance.famo import Famo
from intertask.data.sequences import from_lists
from intertask.errors import ArtefactError, RecipeError, TrainingError
from intertask.events import trainable
from intertask.events.feed import EventFeed
from intertask.events.validation import Validator
from intertask.fitting import experiment
from intertask.model import Model, network
from intertask.train.loop import Trainer
from intertask.train.optimiser import Optimiser
from intertask.train.stream import Stream
from tests import worlds
from tests.train import runs

REGRESSION = {"kind": "response", "label": "rating", "form": "regression"}


def world(**changes):
    users = 12
    items = [[(user + place) % 7 for place in range(6)] for user in range(users)]
    codes = [[place % 2 for place in range(6)] for _ in range(users)]
    ratings = [[1.5 * (place % 3) for place in range(6)] for _ in range(users)]
    parts = {"behaviours": codes, "labels": {"rating": ratings}} | changes
    return worlds.corpus(from_lists(items, 7, **parts))


def trainer(folder, corpus, metrics, **options):
    """A run whose validation metrics are given, one an epoch."""
    recipe = runs.recipe(tasks={"next": {"kind": "next_item"}}, train=options)
    given = iter(metrics)
    split = recipe.split.split(corpus.sequences)
    feed = EventFeed(corpus.sequences, split, recipe.max_length, recipe.train.windows)
    return Trainer(
        [Stream.of(trainable.build(recipe, corpus, 0), feed, recipe.train)],
        WeightedSum({"next": 1.0}),
        lambda: {"score": next(given)},
        lambda model, task: None,
        "score",
        recipe.train,
        0,
        "run",
        folder,
    )


@pytest.mark.parametrize(
    "balance",
    [{"kind": kind} for kind in ("entropy", "equal", "uncertainty", "dwa", "famo", "gradnorm")],
    ids=lambda balance: balance["kind"],
)
def test_encoder_and_items_are_passed_backward_once_a_step_however_many_tasks_there_are(
    balance, tmp_path, monkeypatch
):
    forward, backward, usual = [], [], Model.trunk

    def trunk(model, batch):
        read = usual(model, batch)
        for name, part in zip(("hidden", "items"), read.parts, strict=True):
            if part.requires_grad:
                forward.append(name)
                part.register_hook(lambda gradient, name=name: backward.append(name))
        return read

    monkeypatch.setattr(Model, "trunk", trunk)
    remembering = {"kind": "gated_slots"}
    tasks = {"next": {"kind": "next_item"}, "kind": {"kind": "next_behaviour"}, "stars": REGRESSION}
    recipe = runs.recipe(tasks=tasks, balance=balance, communication=remembering)
    experiment.fit(recipe, world(), tmp_path)
    assert sorted(backward) == sorted(forward)
    assert forward.count("hidden") == forward.count("items") > 1


@pytest.mark.parametrize("absurd", [1e38, -1e38])
def test_a_loss_that_is_not_finite_stops_and_names_task_and_step(tmp_path, absurd):
    ratings = [[absurd, absurd, 0.9 * absurd] * 2 for _ in range(12)]
    with pytest.raises(TrainingError, match="task 'stars', step 0: expected a finite loss, found inf"):
        experiment.fit(
            runs.recipe(tasks={"next": {"kind": "next_item"}, "stars": REGRESSION}),
            world(labels={"rating": ratings}),
            tmp_path,
        )


def test_a_gradient_that_is_not_finite_stops_before_it_spoils_the_weights(tmp_path):
    ratings = [[1e18 * place for place in range(6)] for _ in range(12)]  # their losses are finite
    with pytest.raises(TrainingError, match="tasks 'next', 'stars', step 0: expected a finite gradient"):
        experiment.fit(
            runs.recipe(
                tasks={"next": {"kind": "next_item"}, "stars": REGRESSION}, balance={"kind": "entropy"}
            ),
            world(labels={"rating": ratings}),
            tmp_path,
        )


def test_the_last_checkpoint_is_kept_and_good_when_a_loss_is_nan(tmp_path, monkeypatch):
    usual, taken = Stream.batch, []

    def poisoned(self, rows):
        taken.append(rows)
        if len(taken) > 6:
            with torch.no_grad():
                self.model.items.weight_ID.fill_(float("nan"))
        return usual(self, rows)

    with monkeypatch.context() as patch, pytest.raises(TrainingError, match=r"task 'next', step 6: .* nan"):
        patch.setattr(Stream, "batch", poisoned)
        runs.fit(tmp_path, train={"workers": 0})
    whole = runs.fit(tmp_path / "whole", train={"workers": 0})
    resumed = runs.fit(tmp_path, train={"workers": 0})
    assert torch.equal(resumed.model.items.weight_ID, whole.model.items.weight_ID)
    assert len(runs.journal(tmp_path, "resume")) == 1


def test_training_ends_with_the_best_epoch_and_after_its_patience(tmp_path):
    steady = {"epochs": 10, "schedule": "constant"}  # so that fewer epochs are the beginning of more
    run = trainer(tmp_path / "a", world(), [0.1, 0.5, 0.4, 0.5, 0.9, 1.0], patience=2, **steady)
    trained = run.run()
    assert (trained.best_epoch, trained.best_metric, trained.epochs) == (1, 0.5, 4)
    shorter = trainer(tmp_path / "b", world(), [0.1, 0.5], **steady)
    shorter.config = shorter.config.model_copy(update={"epochs": 2})
    shorter.run()
    assert torch.equal(run.model.items.weight_ID, shorter.model.items.weight_ID)
    (stop,) = runs.journal(tmp_path / "a", "stop")
    assert stop["reason"] == "early stop, no better score for 2 epochs"


def test_patience_begins_anew_with_every_better_epoch(tmp_path):
    trained = trainer(tmp_path, world(), [0.1, 0.0, 0.2, 0.1, 0.3], epochs=5, patience=2).run()
    assert (trained.best_epoch, trained.epochs) == (4, 5)


def test_a_metric_that_is_not_a_number_stops_and_keeps_the_last_checkpoint(tmp_path):
    run = trainer(tmp_path, world(), [0.1, float("nan")], epochs=5)
    with pytest.raises(TrainingError, match=r"validation 'score', step .*: expected a finite metric"):
        run.run()
    trained = trainer(tmp_path, world(), [0.2, 0.1, 0.0, 0.0], epochs=5).run()
    assert (trained.best_epoch, trained.best_metric, trained.epochs) == (1, 0.2, 5)


def test_a_metric_that_is_not_a_number_stops_though_it_chooses_nothing(tmp_path):
    run = trainer(tmp_path, world(), [], epochs=5)
    run.validate = lambda: {"score": 0.1, "other/-rmse": float("nan"), "all": float("nan")}
    with pytest.raises(TrainingError, match=r"validation 'other/-rmse', step .*: expected a finite metric"):
        run.run()


def test_training_leaves_the_global_generator_alone(tmp_path):
    before = torch.random.get_rng_state()
    runs.fit(tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_batch_without_any_target_is_a_step_without_an_update(tmp_path):
    ratings = [[float("nan")] * 6 for _ in range(11)] + [[0.0, 1.0] * 3]
    fitted = experiment.fit(
        runs.recipe(
            tasks={"high": {"kind": "response", "label": "rating"}},
            train={"batch_tokens": 5, "monitor": "high/-log_loss"},
        ),
        world(labels={"rating": ratings}),
        tmp_path,
    )
    totals = [line["total"] for line in runs.journal(tmp_path, "step")]
    assert totals.count(None) == 3 * 11 and len(totals) == 3 * 12
    assert fitted.model.items.weight_ID.isfinite().all()


def test_an_auc_of_one_answer_cannot_choose_the_epoch(tmp_path):
    ratings = [[0.0, 1.0, 0.0, 1.0, 1.0, 1.0] for _ in range(12)]
    with pytest.raises(TrainingError, match=r"'high/auc': .* set \[train\] monitor"):
        experiment.fit(
            runs.recipe(tasks={"high": {"kind": "response", "label": "rating"}}),
            world(labels={"rating": ratings}),
            tmp_path,
        )


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    runs.fit(tmp_path)
    with pytest.raises(
        RecipeError, match="expected a checkpoint of this recipe and data, found one of another"
    ):
        runs.fit(tmp_path, width=4)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    experiment.fit(runs.recipe(), world(), tmp_path)
    other = world(labels={"rating": [[2.0, 3.0] * 3 for _ in range(12)]})
    with pytest.raises(RecipeError, match="one of another run"):
        experiment.fit(runs.recipe(), other, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "best.safetensors",
        "average.safetensors",
        "heads.safetensors",
        "optimiser.safetensors",
        "progress.json",
    ],
)
@pytest.mark.parametrize("damage", ["truncated", "missing", "emptied"])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, name, damage):
    experiment.fit(runs.recipe(train={"epochs": 1}), world(), tmp_path)
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    file = checkpoint / name
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2] if damage == "truncated" else b"")
    with pytest.raises(ArtefactError, match=rf"{checkpoint.name}.* to start the run anew"):
        experiment.fit(runs.recipe(train={"epochs": 1}), world(), tmp_path)


def test_a_log_without_two_training_events_is_refused(tmp_path):
    corpus = worlds.corpus(from_lists([[0, 1, 2]], 7))
    with pytest.raises(TrainingError, match="a user with two of them"):
        trainer(tmp_path, corpus, [])


def test_an_unknown_monitor_is_refused(tmp_path):
    with pytest.raises(
        RecipeError, match=r"\[train\] monitor: expected one of next/ndcg@10.* found 'buy/auc'"
    ):
        runs.fit(tmp_path, train={"monitor": "buy/auc"})


@pytest.mark.parametrize(("precision", "low"), [("auto", False), ("float32", False), ("bfloat16", True)])
def test_bfloat16_is_for_products_alone_and_not_for_a_cpu_unless_asked(precision, low, tmp_path, monkeypatch):
    seen = []
    usual = Model.losses

    def losses(self, batch, hidden_BLD):
        found = usual(self, batch, hidden_BLD)
        seen.append(torch.is_autocast_enabled("cpu"))
        return found

    monkeypatch.setattr(Model, "losses", losses)
    fitted = runs.fit(tmp_path, train={"precision": precision, "epochs": 1})
    assert set(seen) == {low}
    assert all(weight.dtype == torch.float32 for weight in fitted.model.parameters())


def test_a_batch_with_targets_of_a_detached_task_alone_trains_its_head_alone(tmp_path):
    tasks = {
        "buy": {"kind": "next_item", "behaviour": "buy"},
        "high": {"kind": "response", "label": "rating", "at_least": 1, "detached": True},
    }
    without = [1, 1, 1, 1, 0, 0]  # nothing bought in what is trained on
    corpus = world(behaviours=[[0] * 6 if user % 2 else without for user in range(12)])
    for kind in ("entropy", "gradnorm", "aggregation"):
        fitted = experiment.fit(
            runs.recipe(tasks=tasks, balance=kind, train={"batch_tokens": 1, "epochs": 1}),
            corpus,
            tmp_path / kind,
        )
        present = {tuple(line["losses"]) for line in runs.journal(tmp_path / kind, "step")}
        assert present == {("buy", "high"), ("high",)}
        assert all(weight.isfinite().all() for weight in fitted.model.parameters())


def test_cosines_between_gradients_are_told_and_change_nothing(tmp_path):
    plain, told = (runs.fit(tmp_path / str(n), train={"gradient_steps": n}) for n in (0, 3))
    for name, weight in runs.weights(plain).items():
        assert torch.equal(weight, runs.weights(told)[name])
    lines = runs.journal(tmp_path / "3", "gradients")
    # In the first step the head of a response, which begins at what labels say, pushes on nothing yet.
    assert [line["step"] for line in lines] == list(
        range(4, 1 + len(runs.journal(tmp_path / "3", "step")), 3)
    )
    for line in lines:
        (one, cosine), (other, two) = line["cosines"]
        assert line["tasks"] == ["next", "high"] and (one, two) == pytest.approx((1, 1), abs=1e-3)
        assert -1 <= cosine == other <= 1 and min(line["norms"]) > 0
    assert not runs.journal(tmp_path / "0", "gradients")


def test_the_second_look_sees_the_same_batch_dropout_and_negatives(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("intertask.train.optimiser.Optimiser.step", lambda self, rate: None)
    usual = Famo.after_step

    def after_step(self, losses):
        seen.append([abs(float(self.last_T[self.places[n]] - loss)) for n, loss in losses.items()])
        usual(self, losses)

    monkeypatch.setattr(Famo, "after_step", after_step)
    runs.fit(tmp_path, balance="famo", train={"epochs": 1})
    assert len(seen) > 3 and max(map(max, seen)) < 1e-6  # without an update nothing has fallen


@pytest.mark.parametrize("sparse_from", [10**9, 1])
def test_the_average_over_all_steps_is_what_is_validated_and_kept(sparse_from, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "SPARSE_FROM", sparse_from)
    step, validate, stood, shown = Optimiser.step, Validator.__call__, [], []

    def learnt(weights):
        return [weight.detach().clone() for weight in weights if weight.requires_grad]

    def stepped(self, rate):
        stood.extend([] if stood else [learnt(self.weights)])
        step(self, rate)
        stood.append(learnt(self.weights))

    def validated(self, asked):
        shown.append(learnt(asked.parameters()))
        return validate(self, asked)

    monkeypatch.setattr(Optimiser, "step", stepped)
    monkeypatch.setattr(Validator, "__call__", validated)
    own = {"epochs": 1, "warmup_steps": 0, "schedule": "constant", "learning_rate": 0.1}
    fitted = runs.fit(tmp_path, train=own, tasks={"next": runs.SECTIONS["tasks"]["next"]})
    average = stood[0]
    for place, newest in enumerate(stood[1:]):
        decay = min(0.9, (1 + place) / (10 + place))
        average = [old.lerp(new, 1 - decay) for old, new in zip(average, newest, strict=True)]
    assert len(stood) > 4
    torch.testing.assert_close(shown[0], average)
    torch.testing.assert_close(learnt(fitted.model.parameters()), average)
    assert not torch.allclose(average[0], stood[-1][0], atol=1e-3)


def test_a_detached_task_has_no_cosine(tmp_path):
    apart = {"kind": "response", "label": "rating", "at_least": 2, "detached": True}
    tasks = runs.SECTIONS["tasks"] | {"apart": apart}
    runs.fit(tmp_path / "three", tasks=tasks, train={"gradient_steps": 3})
    lines = runs.journal(tmp_path / "three", "gradients")
    assert lines and all(line["tasks"] == ["next", "high"] for line in lines)
    two = {name: task for name, task in tasks.items() if name != "high"}
    runs.fit(tmp_path / "two", tasks=two, train={"gradient_steps": 3})
    assert not runs.journal(tmp_path / "two", "gradients")


def test_a_short_training_of_a_small_log_is_not_over_before_its_rate_has_risen(tmp_path):
    """20,000 events, as a shop has them after a week, and three epochs."""
    random = np.random.default_rng(0)
    log = worlds.corpus(from_lists([random.integers(300, size=20).tolist() for _ in range(1000)], 300))
    recipe = runs.recipe(tasks={"next": {"kind": "next_item"}}, train={"epochs": 3, "batch_tokens": None})
    experiment.fit(recipe, log, tmp_path)
    highest = recipe.train.learning_rate
    rates = [line["learning_rate"] for line in runs.journal(tmp_path, "step")]
    assert len(rates) > 90
    assert max(rates) > 0.9 * highest and rates.index(max(rates)) < len(rates) // 5
    assert sum(rate > highest / 2 for rate in rates) > len(rates) // 3


def test_the_rate_of_a_published_run_is_what_it_was(tmp_path):
    runs.fit(tmp_path, train={"warmup_steps": 200})
    steps = runs.journal(tmp_path, "step")
    per_epoch = len(steps) // 3
    for place, line in enumerate(steps):
        done = (place // per_epoch + place % per_epoch / per_epoch) / 3
        highest = 0.01 * min(1.0, (place + 1) / 200)
        assert line["learning_rate"] == highest * 0.5 * (1 + math.cos(math.pi * done))


def ended(folder, metrics, **options):
    return trainer(folder, world(), metrics, **options).run()


def test_what_ended_a_training_is_told_and_whether_more_may_help(tmp_path):
    rising = ended(tmp_path / "a", [0.1, 0.2, 0.3], epochs=3)
    assert rising.reason == "all 3 epochs done"
    assert rising.advice == ("The last epoch was the best: more may help, e.g. [train] epochs = 6.",)
    falling = ended(tmp_path / "b", [0.3, 0.2, 0.1], epochs=3)
    assert falling.reason == "all 3 epochs done" and falling.advice == ()
    waiting = ended(tmp_path / "c", [0.3, 0.2, 0.1], epochs=3, patience=1)
    assert waiting.reason == "early stop, no better score for 1 epochs" and waiting.advice == ()
    cold = ended(tmp_path / "d", [0.3, 0.2, 0.1], epochs=3, warmup_steps=200)
    steps = len(runs.journal(tmp_path / "d", "step"))
    assert [words.partition(":")[0] for words in cold.advice] == [
        f"It ended within the warm-up ({steps} of 200 steps)"
    ]
    again = ended(tmp_path / "a", [], epochs=3)  # a finished run that is started again says the same
    assert (again.reason, again.advice) == (rising.reason, rising.advice)
