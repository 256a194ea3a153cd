import numpy as np
import pytest

from intertask.answers.category import Category
from intertask.answers.probability import Probability
from intertask.answers.value import Value
from intertask.errors import TrainingError
from intertask.evaluate.scoring import Answers, Bootstrap, scored
from intertask.metrics.bootstrap import mean_intervals
from intertask.metrics.direction import all_rising

NUM = 200
BOOTSTRAP = Bootstrap(lambda: np.random.default_rng(7), 300, ("hospital", "hospitals"))


def told(kind="probability", knows=1.0, seed=0):
    """Answers that know as much of the truth."""
    random = np.random.default_rng(seed)
    truth = np.random.default_rng(99).integers(2, size=NUM)
    yes = 1 / (1 + np.exp(-random.normal(size=NUM) - knows * (2 * truth - 1)))
    if kind == "value":
        return Answers(Value(), truth.astype(float), knows * truth + random.normal(size=NUM) / 4)
    if kind == "two":
        return Answers(Category(2), truth, np.stack([1 - yes, yes], 1))
    if kind == "several":
        both = np.stack([truth, 1 - truth], 1)
        return Answers(Category(2, several=True), both, np.stack([yes, 1 - yes], 1))
    return Answers(Probability(), truth, yes)


def found(model, *, units=None, slices=None, judge_auc=True, **others):
    units = np.arange(NUM) if units is None else units
    by_system = {"intertask": model, **others}
    return scored("ill", by_system, units, np.arange(NUM), BOOTSTRAP, slices, judge_auc=judge_auc)


@pytest.fixture(params=["probability", "two", "several", "value"])
def kind(request):
    return request.param


def test_every_metric_that_decides_has_an_interval_around_it(kind):
    one = found(told(kind), trees=told(kind, 2.0, 1))
    assert [row.system for row in one.rows] == ["intertask", "trees"]
    for row in one.rows:
        assert (
            set(row.intervals)
            == {
                "probability": {"auc", "log_loss"},
                "two": {"auc", "accuracy", "log_loss"},
                "several": {"accuracy", "log_loss"},
                "value": {"rmse", "mae"},
            }[kind]
        )
        for metric, interval in row.intervals.items():
            assert interval.low < row.metrics[metric] < interval.high
            assert np.isfinite([interval.low, interval.high]).all()


def test_an_interval_is_that_of_the_bootstrap_over_units():
    units = np.arange(NUM) // 4
    (row,) = found(told(), units=units).rows
    losses = -told().qualities()
    expected = mean_intervals(losses[:, None], units, np.random.default_rng(7), num_resamples=300)
    interval = row.intervals["log_loss"]
    assert (interval.low, interval.high) == pytest.approx((expected.lows[0], expected.highs[0]))


def test_the_root_of_the_mean_is_taken_at_the_ends():
    (row,) = found(told("value")).rows
    squares = -told("value").qualities()
    expected = mean_intervals(squares[:, None], np.arange(NUM), np.random.default_rng(7), num_resamples=300)
    assert row.intervals["rmse"].low == pytest.approx(expected.lows[0] ** 0.5)
    assert row.metrics["rmse"] == pytest.approx(expected.values[0] ** 0.5)


def test_copies_of_a_row_in_one_unit_tell_nothing_new(kind):
    model = told(kind)
    twice = Answers(model.answer, np.concatenate([model.truth] * 2), np.concatenate([model.predicted] * 2))
    units = np.tile(np.arange(NUM), 2)
    one, other = (
        scored("ill", {"intertask": answers}, own, np.arange(len(own)), BOOTSTRAP).rows[0]
        for answers, own in ((model, np.arange(NUM)), (twice, units))
    )
    for metric, interval in one.intervals.items():
        assert interval.model_dump() == pytest.approx(other.intervals[metric].model_dump())


def test_the_model_is_set_against_each_other_by_auc_and_by_quality(kind):
    one = found(told(kind), worse=told(kind, 0.0, 1), same=told(kind))
    by_name = {(row.baseline, row.metric): row for row in one.differences}
    quality = told(kind).answer.quality
    judged = ["auc", quality] if kind in ("probability", "two") else [quality]
    assert list(by_name) == [(name, metric) for metric in judged for name in ("worse", "same")]
    for metric in judged:
        assert by_name["worse", metric].verdict == "better"
        own = by_name["same", metric]
        assert (own.difference, own.interval.low, own.interval.high) == (0, 0, 0)
        assert own.verdict == "no difference shown"
    if "auc" in judged:
        values = [all_rising(told(kind, knows, seed).metrics())["auc"] for knows, seed in ((1, 0), (0, 1))]
        assert by_name["worse", "auc"].difference == pytest.approx(values[0] - values[1])
    assert not [row for row in found(told(), judge_auc=False, x=told()).differences if row.metric == "auc"]


def test_each_slice_has_its_rows_and_says_where_they_are_few():
    members = {
        "hospital A": np.arange(NUM) < 150,
        "hospital B": np.arange(NUM) >= 195,
        "none": np.zeros(NUM) > 0,
    }
    one = found(told(), trees=told(knows=2.0), slices=members)
    assert [(row.slice, row.system, row.count) for row in one.rows] == [
        (name, system, count)
        for name, count in (("all", NUM), ("hospital A", 150), ("hospital B", 5))
        for system in ("intertask", "trees")
    ]
    whole = Answers(Probability(), told().truth[:150], told().predicted[:150])
    assert one.rows[2].metrics == whole.metrics()
    assert [row.too_few != "" for row in one.rows] == [False] * 4 + [True] * 2


def test_units_are_what_a_verdict_needs_enough_of():
    one = found(told(), units=np.arange(NUM) % 3, worse=told(knows=0.0))
    assert {row.too_few for row in one.differences} == {"targets of 3 hospitals, and a verdict needs 10"}
    assert {row.verdict for row in one.differences} == {"not judged"}


def test_one_class_alone_has_no_auc_and_no_difference_of_it():
    sure = Answers(Probability(), np.ones(NUM), told().predicted)
    one = found(sure, other=sure)
    assert all("auc" not in row.metrics and "auc" not in row.intervals for row in one.rows)
    assert [row.metric for row in one.differences] == ["-log_loss"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_named(kind, value):
    broken = told(kind)
    broken.predicted[3] = value
    with pytest.raises(TrainingError, match=r"answers of trees, task 'ill': .* found NaN or inf"):
        found(told(kind), trees=broken)


def test_the_table_has_a_row_for_each_system_and_target(kind):
    table = found(told(kind), trees=told(kind, 2.0)).table
    assert table.height == 2 * NUM and set(table["system"]) == {"intertask", "trees"}
    own = table.filter(system="intertask")
    assert own["value"].to_numpy() == pytest.approx(told(kind).qualities())
    assert own["label"].is_null().all() == (kind == "several")
    assert set(table["metric"]) == {told(kind).answer.quality} and set(table["setting"]) == {""}
