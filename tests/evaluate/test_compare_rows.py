"""Evaluations of rows of a table are compared as those of a log are."""

import numpy as np
import pytest

from intertask.answers.category import Category
from intertask.answers.probability import Probability
from intertask.answers.value import Value
from intertask.errors import ProtocolError
from intertask.evaluate.compare import compare
from intertask.evaluate.protocol import EventsProtocol, RowsProtocol
from intertask.evaluate.results import Evaluation, Provenance
from intertask.evaluate.scoring import Answers, Bootstrap, scored
from intertask.evaluate.targets import together

NUM = 300
PROTOCOL = RowsProtocol(data="ab", split="rows", part="test", num_targets=NUM)
TWO = Category(2)
TRUTH = np.random.default_rng(0).integers(2, size=NUM)


def evaluation(knows, *, protocol=PROTOCOL, form=TWO, units=None):
    """A class, a value and a class of three, of which a model knows as much."""
    random = np.random.default_rng(1)
    yes = 1 / (1 + np.exp(-random.normal(size=NUM) - knows * (2 * TRUTH - 1)))
    thirds = np.eye(3)[TRUTH] * knows + random.random((NUM, 3))
    answers = {
        "ill": Answers(form, TRUTH, np.stack([1 - yes, yes], 1) if isinstance(form, Category) else yes),
        "age": Answers(Value(), TRUTH * 1.0, TRUTH * knows + random.normal(size=NUM)),
        "stage": Answers(Category(3), TRUTH, thirds / thirds.sum(1, keepdims=True)),
    }
    units = np.arange(NUM) if units is None else units
    bootstrap = Bootstrap(lambda: np.random.default_rng(2), 20, protocol.unit)
    found = [
        scored(name, {"intertask": own}, units, np.arange(NUM), bootstrap) for name, own in answers.items()
    ]
    return Evaluation(
        model=f"knows {knows:g}",
        protocol=protocol,
        provenance=Provenance(seed=1, commit="c", version="v", command="x", date="2026-01-01", machine="m"),
        rankings=[],
        lists=[],
        differences=[],
        responses=[row for one in found for row in one.rows],
    ).with_targets(together([one.table for one in found]))


def test_each_task_is_compared_by_its_quality_and_yes_or_no_by_auc():
    better, worse = evaluation(1.0), evaluation(0.3)
    found = compare(better, worse, resamples=200)
    assert [(row.task, row.metric) for row in found.rows] == [
        ("age", "-squared_error"),
        ("ill", "-log_loss"),
        ("ill", "auc"),
        ("stage", "-log_loss"),
    ]
    (row,) = found.of("auc")
    measured = [run.responses[0].metrics["auc"] for run in (better, worse)]
    assert (row.first, row.second) == pytest.approx(measured)
    assert row.difference == pytest.approx(measured[0] - measured[1])
    assert row.interval.low < row.difference < row.interval.high
    assert row.verdict == "first is better"
    assert {row.metric for row in found.of()} == {"-squared_error", "-log_loss"}


def test_the_other_way_round_is_the_other_sign():
    one, other = evaluation(1.0), evaluation(0.3)
    (there,), (back,) = (compare(*pair, resamples=100).of("auc") for pair in ((one, other), (other, one)))
    assert there.difference == -back.difference
    assert (there.interval.low, there.interval.high) == pytest.approx(
        (-back.interval.high, -back.interval.low)
    )


def test_the_same_run_has_no_difference_and_is_sure_of_nothing():
    for row in compare(evaluation(1.0), evaluation(1.0), resamples=100).rows:
        assert (row.difference, row.interval.low, row.interval.high, row.p_value) == (0, 0, 0, 1)


def test_a_probability_of_one_task_alone_and_of_two_classes_are_the_same_question():
    found = compare(evaluation(1.0), evaluation(1.0, form=Probability()), resamples=50)
    assert [row.difference for row in found.rows] == pytest.approx([0.0] * 4, abs=1e-12)


def test_units_are_drawn_as_a_whole():
    groups = RowsProtocol(data="ab", split="rows", part="test", resampled="hospital", num_targets=NUM)
    few = {"protocol": groups, "units": np.arange(NUM) % 5}
    rows = compare(evaluation(1.0, **few), evaluation(0.3, **few), resamples=100).rows
    assert {row.too_few for row in rows} == {"targets of 5 hospitals, and a verdict needs 10"}


def test_rows_are_not_compared_with_events():
    events = EventsProtocol(
        data="ab",
        split="rows",
        part="test",
        history="kept",
        candidates="all items, 9",
        query_time=False,
        num_targets=NUM,
    )
    with pytest.raises(ProtocolError, match="resampled: expected 'row', as in the other run, found None"):
        compare(evaluation(1.0), evaluation(1.0, protocol=events))
    with pytest.raises(ProtocolError, match="history: expected 'kept', as in the other run, found None"):
        compare(evaluation(1.0, protocol=events), evaluation(1.0))
