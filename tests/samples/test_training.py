"""What is trained on rows: that it learns, draws alike, stops and goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from intertask import Predictor, Recipe
from intertask.data.rows import Rows
from intertask.errors import DataError, IntertaskError, LeakageError, RecipeError
from intertask.fitting.experiment import refuse_unfit
from intertask.recipe import MAIN
from intertask.samples.answering import answers
from intertask.samples.corpus import RowCorpus
from intertask.samples.examiner import RowExaminer
from intertask.samples.facts import Facts, build
from intertask.samples.feed import RowFeed
from intertask.samples.oddities import oddities
from intertask.samples.told import told_labels

from .clinic import ROLES, clinic, patients
from .runs import SECTIONS, facts_of, fitted, recipe, trained


def test_what_the_columns_say_is_learned_by_both_tasks() -> None:
    found = fitted()
    rows = found.corpus.rows.take(found.split.test)
    told = answers(found.model, facts_of(found).read(rows), ["ill", "days"])
    ill = (rows.labels["ill"] == "yes").to_numpy()
    days = rows.labels["days"].cast(pl.Float64).to_numpy()
    assert ((told["ill"].argmax(1) == 1) == ill).mean() > 0.7
    assert ((told["days"] - days) ** 2).mean() < 0.75 * days.var()  # type: ignore[operator]


def test_nothing_is_learned_from_noise() -> None:
    random = np.random.default_rng(77)
    rows = clinic(400)
    noise = replace(
        rows,
        inputs=rows.inputs.with_columns(
            pl.Series("age", random.normal(size=400).astype(np.float32)),
            pl.Series("pain", random.choice(["a", "b"], 400)),
        ),
    )
    train = {"epochs": 4, "workers": 0, "monitor": "ill/-log_loss"}
    found = trained(recipe(train=train, tasks={"ill": {"kind": "category"}}), noise)
    assert -found.trained.best_metric > 0.62  # log loss of a coin is 0.693; of what can be known 0.4


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    short = {"train": {"epochs": 1, "workers": 0}}
    one, again, other = (trained(recipe(seed=seed, **short), clinic(100)) for seed in (1, 1, 2))
    weights = [torch.cat([w.flatten() for w in own.model.parameters()]) for own in (one, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.allclose(weights[0], weights[2])


def test_what_does_not_train_changes_neither_facts_nor_feed() -> None:
    own, rows = recipe(), clinic(100)
    split = own.split_rows(rows)
    held = np.isin(np.arange(100), np.concatenate([split.validation, split.test]))
    changed = replace(
        rows,
        inputs=rows.inputs.with_columns(
            age=pl.when(pl.Series(held)).then(999.0).otherwise("age").cast(pl.Float32)
        ),
    )
    one, other = (Facts.fit(own, given.take(split.train)) for given in (rows, changed))
    assert one == other
    feeds = [RowFeed(own, one, given.take(split.train)) for given in (rows, changed)]
    batches = [feed.batch(np.arange(len(split.train))) for feed in feeds]
    assert torch.equal(*(batch.inputs["input"].told_BF for batch in batches))  # type: ignore[attr-defined]


def test_the_facts_are_their_json_and_build_the_same_model() -> None:
    found, own = fitted(), recipe()
    facts = facts_of(found)
    assert Facts.of(own, facts.table()) == facts
    with pytest.raises(ValueError, match="answers of the tasks ill, days"):
        Facts.of(own, {"reader": facts.table()["reader"], "answers": {}})


def test_answers_do_not_depend_on_who_else_asks() -> None:
    found = fitted()
    fields = facts_of(found).read(found.corpus.rows.take(found.split.test))
    together = answers(found.model, fields, ["ill"])["ill"]
    alone = answers(found.model, fields.take(np.array([3])), ["ill"])["ill"]
    assert np.allclose(together[3:4], alone, atol=1e-6)


def test_rows_without_a_label_train_the_other_task() -> None:
    rows = clinic(100)
    some = replace(
        rows,
        labels=rows.labels.with_columns(
            ill=pl.when(pl.int_range(100) % 2 == 0).then("ill"),
            days=pl.when(pl.int_range(100) % 2 == 1).then("days"),
        ),
    )
    own = recipe(train={"epochs": 1, "workers": 0})
    refuse_unfit(own, {MAIN: RowCorpus(some)})
    feed = RowFeed(own, Facts.fit(own, some), some)
    assert feed.num_labels == {"ill": 50, "days": 50}


def test_only_metrics_that_the_validation_rows_define_are_named() -> None:
    own, rows = recipe(tasks={"ill": {"kind": "category"}}), clinic(60)
    facts = Facts.fit(own, rows)
    assert RowExaminer(own, facts, rows, 1_000).names() == ["ill/auc", "ill/accuracy", "ill/-log_loss"]
    healthy = rows.take(np.flatnonzero((rows.labels["ill"] == "no").to_numpy()))
    assert RowExaminer(own, facts, healthy, 1_000).names() == ["ill/accuracy", "ill/-log_loss"]
    unknown = replace(rows, labels=rows.labels.with_columns(ill=pl.lit(None, pl.String)))
    assert RowExaminer(own, facts, unknown, 1_000).names() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.with_columns(copy=pl.col("ill")), "no copy of what the task ill asks for"),
        (lambda f: f.with_columns(copy=pl.col("ill") == "yes"), "one value for each class of the label"),
        (
            lambda f: f.with_columns(copy=7.5 * (pl.col("ill") == "yes")),
            "one value for each class of the label",
        ),
        (lambda f: f.with_columns(ill=pl.lit("yes")), "2 to 10,000 classes among the training rows"),
        (
            lambda f: f.with_columns(days=pl.lit("many")),
            "finite numbers of at most 1e\\+30 as labels of a regression",
        ),
        (
            lambda f: f.with_columns(age=None, pain=None, noise=1.0, hospital=pl.lit("a")),
            "a column whose values differ",
        ),
    ],
)
def test_rows_that_cannot_be_learned_are_refused_before_training(change, message) -> None:  # type: ignore[no-untyped-def]
    rows = Rows.read(change(patients(100)), **ROLES)
    with pytest.raises((DataError, LeakageError), match=message) as caught:
        refuse_unfit(recipe(), {MAIN: RowCorpus(rows)})
    assert isinstance(caught.value, IntertaskError) and "\n" not in str(caught.value)


def test_what_gives_a_label_away_is_said_before_training() -> None:
    halves = (pl.int_range(pl.len()) % 2).cast(pl.String)
    given = patients(100).with_columns(code=pl.col("ill") + halves, hours=24 * pl.col("days") + 1)
    rows = Rows.read(given, **ROLES)  # type: ignore[arg-type]
    found = [told.text for told in told_labels(recipe(), rows)]
    assert [text.partition(" of all training rows")[0] for text in found] == [
        "Task ill: the input 'code' tells 'ill'",
        "Task days: the input 'hours' tells 'days'",
    ]
    split = recipe().split_rows(rows)
    odd = oddities(recipe(), rows, split, Facts.fit(recipe(), rows.take(split.train)))
    assert sum("Is it known before the answer is?" in line for line in odd) == 2
    assert list(told_labels(recipe(), clinic(100))) == []


def several(**sections: object) -> Recipe:
    """Two inputs that read other columns of one table."""
    tables = {
        "numbers": {"kind": "table", "columns": ["age"], "dropout": 0.0},
        "words": {"kind": "table", "columns": ["pain"], "dropout": 0.0},
    }
    given = {name: own for name, own in SECTIONS.items() if name != "input"}
    return Recipe.model_validate({**given, "inputs": tables, **sections})


def test_several_inputs_of_a_row_are_trained_together_and_kept(tmp_path: Path) -> None:
    model = Predictor(several(train={"epochs": 2, "workers": 0})).fit(clinic(100))
    asked = pl.DataFrame({"age": [30.0, 70.0], "pain": ["a", "b"]})
    told = model.predict(asked, task="ill")
    model.save(tmp_path / "model")
    assert Predictor.load(tmp_path / "model").predict(asked, task="ill").equals(told)
    assert set(model.facts.readers) == {"numbers", "words"} and set(model.facts.columns) == {"age", "pain"}


def test_an_input_that_names_no_column_of_the_rows_is_refused() -> None:
    own = several(inputs={"one": {"kind": "table", "columns": ["age", "shoe"]}})
    with pytest.raises(RecipeError, match=r"columns: expected inputs of the rows, as .*, found 'shoe'"):
        refuse_unfit(own, {MAIN: RowCorpus(clinic(100))})


def test_two_classes_choose_their_epoch_by_auc_where_the_validation_rows_have_both() -> None:
    rows = clinic(100)
    ill, days = (
        recipe(tasks={name: {"kind": kind}}) for name, kind in (("ill", "category"), ("days", "regression"))
    )

    def monitor(own: Recipe, validation: Rows) -> str:
        return RowExaminer(own, Facts.fit(own, rows), validation, 1_000).monitor(next(iter(own.tasks)))

    healthy = rows.take(np.flatnonzero((rows.labels["ill"] == "no").to_numpy()))
    assert (monitor(ill, rows), monitor(ill, healthy)) == ("ill/auc", "ill/-log_loss")
    assert monitor(days, rows) == "days/-rmse"
    model = Predictor(ill.with_({"train.epochs": 1})).fit(rows)
    assert model.fitted is not None and model.fitted.trained.monitor == "ill/auc"


def test_rows_of_which_none_counts_are_refused() -> None:
    rows = Rows.read(patients(60).with_columns(w=pl.lit(0)), weight="w", **ROLES)  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match=r"\[data.rows\] weight: expected a training row that counts, found 0"
    ):
        refuse_unfit(recipe(), {MAIN: RowCorpus(rows)})


def test_parts_with_a_rate_of_zero_leave_training_as_they_were_and_are_kept(tmp_path: Path) -> None:
    rows = clinic(60)
    own = recipe(encoder={"kind": "gru", "learning_rate": 0}, train={"epochs": 2, "workers": 0})
    model = Predictor(own).fit(rows)
    facts = model.facts
    drawn = build(own, facts, own.seed).encoder.state_dict()
    model.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model").model
    for name, weight in drawn.items():
        assert torch.equal(model.model.encoder.state_dict()[name], weight)
        assert torch.equal(loaded.encoder.state_dict()[name], weight)
    moved = build(own, facts, own.seed).input.state_dict()
    assert any(not torch.equal(model.model.input.state_dict()[name], w) for name, w in moved.items())
