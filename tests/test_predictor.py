"""The door of rows: fit, predict, evaluate, save and load on whatever frames a caller has."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import intertask as it
from intertask.errors import ArtefactError, IntertaskError, RequestError
from tests.samples.clinic import HOSPITALS, patients
from tests.samples.runs import SECTIONS

RECIPE = it.Recipe.model_validate({**SECTIONS, "train": {"epochs": 3, "workers": 0}})
SOME = patients(6, seed=9).drop("ill", "days", "seen", "hospital")


def other(tasks: object) -> it.Recipe:
    return it.Recipe.model_validate({**SECTIONS, "tasks": tasks, "train": {"epochs": 1, "workers": 0}})


@cache
def model() -> it.Predictor:
    return it.Predictor(RECIPE).fit(patients(300).drop("hospital", "seen"))


def test_a_frame_is_fitted_and_answered_with_probabilities() -> None:
    found = model().predict(SOME)
    assert found.columns == ["ill", "ill_probability", "ill=no", "ill=yes", "days"]
    assert set(found["ill"]) <= {"yes", "no"} and found.height == 6
    assert np.allclose(found["ill=no"] + found["ill=yes"], 1)
    assert np.allclose(
        found["ill_probability"], found.select(pl.max_horizontal("ill=no", "ill=yes")).to_series()
    )
    assert model().predict(SOME, task="days").columns == ["days"]


def test_single_rows_are_answered_as_in_a_frame() -> None:
    rows = SOME.to_dicts()
    assert model().predict(rows).equals(model().predict(SOME))
    assert_frame_equal(model().predict(rows[2]), model().predict(SOME)[2], abs_tol=1e-4)
    assert_frame_equal(model().predict(SOME[::-1]), model().predict(SOME)[::-1], abs_tol=1e-4)


def test_it_abstains_where_no_class_is_probable() -> None:
    plain = model().predict(SOME)
    least = float(plain["ill_probability"].sort()[3])
    careful, sure = model().predict(SOME, at_least=least), plain["ill_probability"] >= least
    assert sure.sum() == 3
    assert careful["ill_abstained"].to_list() == (~sure).to_list()
    assert careful["ill"].is_null().to_list() == (~sure).to_list()
    assert careful["ill_probability"].equals(plain["ill_probability"])
    fitted = model().fitted
    assert fitted is not None
    own = {"ill": {"kind": "category", "at_least": least}, "days": {"kind": "regression"}}
    said = it.Predictor.trained(other(own), fitted)
    assert said.predict(SOME).equals(careful)
    assert not said.predict(SOME, at_least=0.0)["ill_abstained"].any()


def test_it_is_saved_and_loaded_to_the_bit_and_holds_no_row(tmp_path: Path) -> None:
    model().save(tmp_path / "model")
    loaded = it.load(tmp_path / "model")
    assert isinstance(loaded, it.Predictor)
    assert loaded.predict(SOME).equals(model().predict(SOME))
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "facts.json",
        "manifest.json",
        "recipe.json",
        "schema.json",
        "weights.safetensors",
    ]
    facts = json.loads((tmp_path / "model" / "facts.json").read_text())
    assert len(facts["reader"]["numbers"]["age"]["edges"]) <= 9
    assert loaded.classes == {"ill": ["no", "yes"]}


def test_words_that_training_has_not_seen_are_answered_too() -> None:
    assert model().predict([{"age": 50, "pain": "unheard of", "noise": 0.0}]).height == 1
    with pytest.warns(UserWarning, match="2 of 3 columns are missing"):
        assert model().predict({"age": 50}).height == 1


def test_it_is_evaluated_on_the_rows_that_it_was_trained_on(tmp_path: Path) -> None:
    found = model().evaluate()
    assert {row.system for row in found.responses} == {"intertask", "base rate", "linear"}
    model().save(tmp_path / "model")
    loaded = it.Predictor.load(tmp_path / "model")
    again = loaded.evaluate(patients(300).drop("hospital", "seen"))
    assert [row.metrics for row in again.responses] == [row.metrics for row in found.responses]
    with pytest.raises(IntertaskError, match="other rows than the training part"):
        loaded.evaluate(patients(300, seed=5).drop("hospital", "seen"))
    with pytest.raises(RequestError, match="rows or as run=FOLDER, found neither"):
        loaded.evaluate()


def test_labels_that_are_numbers_are_answered_as_numbers() -> None:
    frame = patients(200).select("age", "pain", grade=pl.col("ill").replace_strict({"yes": 10, "no": 9}))
    short = other({"grade": "category"})
    found = it.Predictor(short).fit(frame).predict(SOME.drop("noise"))
    assert found.schema["grade"] == pl.Int64 and set(found["grade"]) <= {9, 10}


def test_several_labels_are_answered_as_lists() -> None:
    pains = patients(200).select("age", "pain", tags=pl.concat_list(pl.col("pain"), pl.lit("all")))
    short = other({"tags": {"kind": "category", "several": True}})
    found = it.Predictor(short).fit(pains).predict(SOME.drop("noise"))
    assert found.columns == ["tags", "tags=all", "tags=mild", "tags=none", "tags=strong"]
    assert found.schema["tags"] == pl.List(pl.String)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: model().predict(SOME, task="iil"), "a task: ill, days, found 'iil'"),
        (lambda: model().predict(SOME, at_least=2), "a probability, 0 to 1, found 2"),
        (lambda: model().predict(SOME, at_least="x"), "a probability, 0 to 1"),  # type: ignore[arg-type]
        (lambda: model().evaluate(part="train"), "'validation' or 'test'"),  # type: ignore[arg-type]
        (lambda: it.Predictor(RECIPE).predict(SOME), "a trained model, found none; call fit"),
        (lambda: it.Predictor(it.Recipe()), "a recipe of rows of a table, found one of a log"),
        (lambda: it.Predictor("x"), "a Recipe, found 'x'"),  # type: ignore[arg-type]
        (lambda: it.Recommender.load("nowhere"), "manifest"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(ask, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(IntertaskError, match=message) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_each_door_says_which_is_the_other(tmp_path: Path) -> None:
    model().save(tmp_path / "rows")
    with pytest.raises(
        ArtefactError, match=r"a model of a log, found one of rows of a table; intertask.load"
    ):
        it.Recommender.load(tmp_path / "rows")
    log = pl.DataFrame({"user": [u for u in "abcd" for _ in range(5)], "item": list(range(5)) * 4})
    recipe = it.Recipe(width=8, train={"epochs": 1}, evaluation={"baselines": {}})  # type: ignore[arg-type]
    it.Recommender(recipe).fit(it.EventLog.read(log)).save(tmp_path / "log")
    with pytest.raises(
        ArtefactError, match=r"a model of rows of a table, found one of a log; intertask.load"
    ):
        it.Predictor.load(tmp_path / "log")
    assert isinstance(it.load(tmp_path / "log"), it.Recommender)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda facts: facts["reader"]["numbers"].pop("age"), "the weights of the recipe"),
        (lambda facts: facts["answers"]["ill"].update(names=["a", "a"]), "each class once"),
        (lambda facts: facts["answers"].pop("ill"), "answers of the tasks ill, days"),
        (lambda facts: facts["reader"]["numbers"]["age"].update(edges=[1.0, 1.0]), "edges that rise"),
        (lambda facts: facts["reader"]["categories"]["pain"].update(known=["x"] * 3), "each category once"),
        (lambda facts: facts["answers"]["days"].update(deviation=0.0), "greater than 0"),
        (lambda facts: facts.clear(), "answers of the tasks"),
        (lambda facts: facts["reader"].update(rows=[1, 2]), "Extra inputs are not permitted"),
    ],
)
def test_facts_that_no_training_finds_are_refused(tmp_path: Path, damage, message) -> None:  # type: ignore[no-untyped-def]
    from intertask.storage.files import sha256

    model().save(tmp_path / "model")
    file, manifest = tmp_path / "model" / "facts.json", tmp_path / "model" / "manifest.json"
    facts = json.loads(file.read_text())
    damage(facts)
    file.write_text(json.dumps(facts))
    with pytest.raises(ArtefactError, match=r"facts.json: expected SHA-256"):
        it.load(tmp_path / "model")
    told = json.loads(manifest.read_text())
    told["files"]["facts.json"] = sha256(file)
    manifest.write_text(json.dumps(told))
    with pytest.raises(ArtefactError, match=message) as caught:
        it.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_notebook_shows_columns_and_classes() -> None:
    assert "no, yes" in model()._repr_html_() and "not trained" in it.Predictor(RECIPE)._repr_html_()
    assert len(HOSPITALS) == 4
