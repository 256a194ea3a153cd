import numpy as np
import polars as pl
import pytest

from intertask import Recommender
from intertask.data.prepare import prepare
from intertask.errors import DataError, LeakageError, RequestError
from intertask.evaluate.compare import compare
from tests import shop


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    shop.recommender().save(folder / "model")
    return Recommender.load(folder / "model")


@pytest.fixture(scope="module")
def found():
    return shop.recommender().evaluate()


def figures(evaluation):
    return evaluation.to_frame(), evaluation.to_frame("differences")


def test_a_model_is_evaluated_on_what_it_was_fitted_on(found):
    assert {row.system for row in found.rankings} == {"intertask", "popularity", "transition"}
    assert found.protocol.part == "test" and found.provenance.seed == shop.recipe().seed
    validation = shop.recommender().evaluate(part="validation")
    assert validation.protocol.part == "validation" and validation.rankings != found.rankings


@pytest.mark.parametrize("log", [shop.log, lambda: prepare(shop.log())], ids=["log", "corpus"])
def test_a_loaded_model_needs_its_log_and_finds_the_same(log, loaded, found):
    for one, other in zip(figures(loaded.evaluate(log())), figures(found), strict=True):
        assert one.equals(other)


def test_a_model_without_histories_can_be_evaluated(found, tmp_path):
    shop.recommender().save(tmp_path / "model", histories=False)
    assert Recommender.load(tmp_path / "model").evaluate(shop.log()).rankings == found.rankings


def test_a_run_folder_stands_for_its_log(found, loaded, tmp_path):
    prepare(shop.log(), tmp_path / "corpus")
    assert loaded.evaluate(run=tmp_path).rankings == found.rankings
    with pytest.raises(DataError, match="expected the folder of a trained run, found none"):
        loaded.evaluate(run=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "evaluate: expected the log that the model was trained on, .*, found neither; a model that was"),
        ({"events": shop.log(), "run": "x"}, "evaluate: expected the log .*, found both; leave one out"),
        ({"events": pl.DataFrame()}, "evaluate: expected an EventLog, found DataFrame; read it with"),
        ({"events": shop.log(), "part": "train"}, "part: expected 'validation' or 'test', found 'train'"),
        (
            {"events": shop.log(shop.events().filter(pl.col("sku") != shop.item_id(3)))},
            "evaluate: expected the 15 items that the model was trained on, found 14, not all of them",
        ),
        (
            {"events": shop.log(shop.events().with_columns(action=pl.lit("buy")))},
            "evaluate: expected the 3 behaviours that the model was trained on, found 1",
        ),
    ],
)
def test_what_cannot_be_evaluated(given, line, loaded):
    with pytest.raises(RequestError, match=line):
        loaded.evaluate(**given)


def test_another_log_of_the_same_items_is_refused(loaded):
    with pytest.raises(LeakageError, match="a model that was trained on"):
        loaded.evaluate(shop.log(shop.events(seed=5)))


def test_a_model_that_is_not_trained_cannot_be_evaluated():
    with pytest.raises(RequestError, match="a trained model"):
        Recommender(shop.recipe()).evaluate()


def test_what_was_found_is_a_frame_of_figures_or_of_differences(found):
    frame, differences = figures(found)
    assert frame.columns == ["system", "task", "history", "slice", "count", "metric", "value", "low", "high"]
    own = frame.filter(
        (pl.col("system") == "intertask")
        & (pl.col("task") == "next")
        & (pl.col("slice") == "all")
        & (pl.col("history") == "kept")
        & (pl.col("metric") == "ndcg@5")
    )
    (row,) = own.rows(named=True)
    (expected,) = (
        at
        for at in found.rankings
        if (at.system, at.task, at.slice, at.history) == ("intertask", "next", "all", "kept")
    )
    assert (row["value"], row["low"]) == (expected.metrics["ndcg@5"], expected.intervals["ndcg@5"].low)
    measured = [value for row in (*found.rankings, *found.lists, *found.responses) for value in row.metrics]
    assert frame.height == len(measured)
    assert differences["difference"].to_list() == [row.difference for row in found.differences]
    assert differences["verdict"].to_list() == [row.verdict for row in found.differences]
    nothing = found.model_copy(update={"rankings": [], "lists": [], "responses": [], "differences": []})
    assert [part.columns for part in figures(nothing)] == [frame.columns, differences.columns]


def test_two_evaluations_in_memory_are_compared(found, loaded):
    rows = compare(found, loaded.evaluate(shop.log()), resamples=100).rows
    assert rows and np.allclose([row.difference for row in rows], 0)


def test_what_is_equal_is_equal_whatever_is_known_of_targets(found):
    read = type(found).model_validate_json(found.model_dump_json())
    assert read == found and read.targets is None and found.targets is not None
    assert found != found.model_copy(update={"model": "another"})
