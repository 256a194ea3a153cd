"""The table of a model of rows, what stands beside it, and what makes it wrong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from intertask import Predictor
from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.errors import LeakageError
from intertask.evaluate.compare import compare
from intertask.evaluate.results import Evaluation
from intertask.samples.answering import answers
from intertask.samples.corpus import RowCorpus
from intertask.samples.evaluation import RowEvaluator
from intertask.samples.facts import Facts
from intertask.samples.leakage import Evidence, findings
from intertask.samples.splits import Folds, GroupsOut, RowsSplit, Split, WalkForward
from intertask.samples.units import units

from .clinic import ROLES, clinic, patients
from .runs import facts_of, fitted, recipe


def evaluated(**changes: object) -> Evaluation:
    found, own = fitted(), recipe()
    given = {"split": found.split, "corpus": found.corpus, "facts": facts_of(found), **changes}
    return RowEvaluator("clinic", found.model.eval(), config=own.evaluation, seed=1, **given).run()  # type: ignore[arg-type]


def test_every_system_stands_in_one_table_with_intervals() -> None:
    found = evaluated()
    whole = [(row.system, row.task) for row in found.responses if row.slice == "all"]
    assert whole == [
        (system, task) for task in ("ill", "days") for system in ("intertask", "base rate", "linear")
    ]
    for row in found.responses:
        for metric, interval in row.intervals.items():
            assert interval.low <= row.metrics[metric] <= interval.high
    assert {row.slice for row in found.responses} >= {"all", "group: north", "group: west"}
    assert {(row.task, row.baseline, row.metric) for row in found.differences} >= {
        ("ill", "linear", "auc"),
        ("ill", "linear", "-log_loss"),
        ("days", "linear", "-squared_error"),
    }


def test_the_figures_are_those_of_the_rows_that_test() -> None:
    fit = fitted()
    rows = fit.corpus.rows.take(fit.split.test)
    told = answers(fit.model, facts_of(fit).read(rows), ["ill"])["ill"]
    own = next(row for row in evaluated().responses if row.system == "intertask" and row.slice == "all")
    ill = (rows.labels["ill"] == "yes").to_numpy()
    assert own.count == len(rows)
    assert own.metrics["auc"] == pytest.approx(roc_auc_score(ill, told[:, 1]))
    assert own.metrics["auc"] > 0.75


def test_targets_are_the_rows_numbers_in_the_data() -> None:
    found = evaluated()
    assert found.targets is not None
    some = found.targets.filter((pl.col("system") == "intertask") & (pl.col("task") == "ill"))
    assert np.array_equal(some["target"].to_numpy(), fitted().split.test)


def test_groups_are_drawn_where_there_are_enough_of_them() -> None:
    assert units(clinic(100))[1] == "row"
    frame = patients(100).with_columns(hospital=(pl.int_range(100) // 5).cast(pl.String))
    owners, what = units(Rows.read(frame, **ROLES))  # type: ignore[arg-type]
    assert what == "group" and len(np.unique(owners)) == 20


def test_rows_with_an_unseen_class_or_without_a_label_are_left_out_and_said() -> None:
    rows = fitted().corpus.rows
    place = fitted().split.test
    strange = pl.Series(
        np.where(np.isin(np.arange(len(rows)), place[:5]), "perhaps", rows.labels["ill"].to_numpy())
    )
    none = pl.Series(np.isin(np.arange(len(rows)), place[5:8]))
    labels = rows.labels.with_columns(ill=pl.when(none).then(None).otherwise(strange))
    found = evaluated(corpus=RowCorpus(replace(rows, labels=labels)))
    own = next(row for row in found.responses if row.task == "ill")
    assert own.count == len(place) - 8
    assert any("5 of 80 rows (6.2 %) have a class that no training row has" in f.text for f in found.findings)


def evidence(split: Split, rows: Rows, **changes: object) -> list[str]:
    own = recipe()
    facts = Facts.fit(own, rows.take(split.train))
    return [f"{f.severity} {f.name}" for f in findings(Evidence(own, rows, split, "test", facts, **changes))]  # type: ignore[arg-type]


def test_a_clean_split_of_clean_rows_says_nothing() -> None:
    rows = clinic(200)
    rows = replace(rows, roles=rows.roles.drop("time"))
    assert evidence(GroupsOut(test=("north",)).split(rows), rows) == []
    assert (
        evidence(
            WalkForward().split(clinic(200)), replace(clinic(200), roles=clinic(200).roles.drop("group"))
        )
        == []
    )


def test_what_is_wrong_with_rows_and_split_is_found() -> None:
    rows = clinic(200)
    plain = replace(rows, roles=rows.roles.select())
    split = RowsSplit().split(plain)
    assert evidence(RowsSplit().split(rows), rows) == ["warning parted_groups", "warning later_training"]
    assert evidence(replace(split, test=split.train), plain) == ["error leaking_split"]
    again = plain.take(np.concatenate([np.arange(200), np.arange(200)]))
    assert evidence(Folds().split(again), again) == ["warning repeated_rows"]
    other = Facts.fit(recipe(), plain)
    assert evidence(split, plain, trained=other) == ["error other_training"]
    told = replace(
        plain, inputs=plain.inputs.with_columns(code=plain.labels["ill"].replace({"yes": "j", "no": "n"}))
    )
    assert evidence(split, told) == ["error label_among_inputs"]
    halves = pl.Series(np.arange(200) % 2).cast(pl.String)
    told = replace(plain, inputs=plain.inputs.with_columns(code=plain.labels["ill"] + halves))
    assert evidence(split, told) == ["warning label_is_told"]
    named = replace(plain, inputs=plain.inputs.with_columns(code=plain.labels["ill"]))
    assert "error label_among_inputs" in evidence(split, named)
    healthy = replace(
        split,
        test=np.flatnonzero((plain.labels["ill"] == "no").to_numpy() & np.isin(np.arange(200), split.test)),
    )
    assert "warning label_rate" in evidence(healthy, plain)


def test_statistics_that_were_fitted_on_the_test_part_are_refused() -> None:
    """A reader that has seen all rows knows their mean and their words."""
    rows = fitted().corpus.rows
    with pytest.raises(
        LeakageError, match="a model that was fitted on other rows than the training part: its input"
    ):
        evaluated(facts=Facts({INPUT: recipe().input.fit(rows)}, facts_of(fitted()).answers))
    with pytest.raises(LeakageError, match="the split leaks"):
        evaluated(split=replace(fitted().split, test=fitted().split.train[:50]))


def test_conditions_are_the_same_for_rows_in_memory_and_for_those_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run's folder keeps the roles, and not what their columns were called."""
    monkeypatch.setattr("intertask.samples.units.LEAST_UNITS", 2)
    fitted().corpus.write(tmp_path / "corpus")
    one, other = evaluated(), evaluated(corpus=RowCorpus.open(tmp_path / "corpus"))
    assert one.protocol == other.protocol and one.protocol.unit == ("group", "groups")
    assert compare(one, other, resamples=20).rows


def test_a_task_that_no_validation_row_asks_is_told_as_not_calibrated() -> None:
    rows = clinic(200)
    own = recipe(
        train={"epochs": 1, "workers": 0},
        split={"kind": "rows", "stratified": False},
        evaluation={"references": {}},
    )
    held = pl.Series(np.isin(np.arange(len(rows)), own.split_rows(rows).validation))
    labels = rows.labels.with_columns(ill=pl.when(~held).then("ill"))
    told = [
        [f.text for f in Predictor(own).fit(given).evaluate().findings if f.name == "uncalibrated"]
        for given in (rows, replace(rows, labels=labels))
    ]
    assert told[0] == [] and "Task ill has no validation target" in told[1][0]
