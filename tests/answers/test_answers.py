"""What every kind of answer promises, and the figures of each on rows that a reader can check."""

import math

import numpy as np
import polars as pl
import pytest

from intertask.answers import Answer
from intertask.answers.category import Category
from intertask.answers.probability import Probability
from intertask.answers.ranking import Ranking
from intertask.answers.temperature import GRID, best
from intertask.answers.value import Value
from intertask.metrics.direction import all_rising, lower_is_better

ROWS, CLASSES = 60, 3


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def told(kind, seed=0):
    """Truth and a prediction that knows something of it."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=ROWS)
    yes = np.arange(ROWS) % 2
    codes = np.arange(ROWS) % CLASSES
    labels = random.integers(0, 2, (ROWS, CLASSES))
    return {
        "ranking": (codes, random.integers(1, 40, ROWS)),
        "probability": (yes.astype(np.float32), (1 / (1 + np.exp(-noise - yes))).astype(np.float32)),
        "value": (noise.astype(np.float32), (noise + random.normal(size=ROWS)).astype(np.float32)),
        "category": (codes, softmax(random.normal(size=(ROWS, CLASSES)) + np.eye(CLASSES)[codes])),
        "unknown": (codes, softmax(random.normal(size=(ROWS, CLASSES)) + np.eye(CLASSES)[codes])),
        "two": (yes, softmax(np.stack([-noise, noise + yes], 1)).astype(np.float32)),
        "several": (labels, np.clip(0.5 * labels + random.random(labels.shape) / 2, 0.01, 0.99)),
    }[kind]


KINDS = {
    "ranking": Ranking(),
    "probability": Probability(),
    "value": Value(),
    "category": Category(CLASSES),
    "unknown": Category(),
    "two": Category(2),
    "several": Category(CLASSES, several=True),
}


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


def test_its_metrics_monitor_and_report_are_measured(kind):
    answer: Answer = KINDS[kind]
    measured = answer.measure(*told(kind))
    assert set(answer.metrics) <= set(measured)
    assert {answer.monitor, answer.reported} <= set(all_rising(measured))
    assert all(math.isfinite(value) for value in measured.values())


def test_of_no_rows_nothing_is_measured(kind):
    truth, predicted = told(kind)
    assert KINDS[kind].measure(truth[:0], predicted[:0]) == {}


def test_rows_may_come_in_any_order(kind):
    truth, predicted = told(kind)
    order = np.random.default_rng(1).permutation(ROWS)
    assert KINDS[kind].measure(truth[order], predicted[order]) == pytest.approx(
        KINDS[kind].measure(truth, predicted)
    )
    np.testing.assert_allclose(
        KINDS[kind].qualities(truth[order], predicted[order]), KINDS[kind].qualities(truth, predicted)[order]
    )


def test_the_mean_quality_is_the_metric_of_that_name(kind):
    answer = KINDS[kind]
    qualities = answer.qualities(*told(kind))
    assert qualities.shape == (ROWS,) and qualities.dtype == np.float64
    measured = answer.measure(*told(kind))
    expected = -(measured["rmse"] ** 2) if kind == "value" else all_rising(measured)[answer.quality]
    assert qualities.mean() == pytest.approx(expected, rel=1e-6)


def test_a_metric_that_is_a_mean_over_rows_is_that_mean(kind):
    answer = KINDS[kind]
    measured, means = answer.measure(*told(kind)), answer.means(*told(kind))
    assert means
    for name, values in means.items():
        assert values.shape == (ROWS,) and values.dtype == np.float64
        assert float(answer.of_mean(name, values.mean())) == pytest.approx(measured[name], rel=1e-6)


def test_a_better_prediction_has_better_qualities_and_is_worth_more(kind):
    answer, (truth, predicted) = KINDS[kind], told(kind)
    if kind in ("ranking", "value"):
        better = np.maximum(predicted // 2, 1) if kind == "ranking" else truth
    else:
        one_hot = np.eye(predicted.shape[1])[truth] if predicted.ndim > 1 and truth.ndim == 1 else truth
        better = (0.5 * predicted + 0.5 * one_hot).astype(predicted.dtype)
    assert (answer.qualities(truth, better) >= answer.qualities(truth, predicted)).all()
    assert (answer.fine_qualities(truth, better) >= answer.fine_qualities(truth, predicted)).all()
    one, other = (all_rising(answer.measure(truth, told))[answer.reported] for told in (better, predicted))
    assert one > other and answer.worth(one) > answer.worth(other) > 0


def test_a_perfect_or_hopeless_task_still_counts(kind):
    answer = KINDS[kind]
    assert 0 < answer.worth(0.0) < math.inf
    assert answer.worth(-1e30 if lower_is_better(answer.reported.lstrip("-")) else 0.0) > 0


def test_the_base_rate_says_the_same_of_every_row_and_is_calibrated_on_what_it_knows(kind):
    answer, (truth, predicted) = KINDS[kind], told(kind)
    if answer.ranks:
        with pytest.raises(TypeError, match="baselines"):
            answer.base_rate(truth, predicted)
        return
    found = answer.base_rate(truth, predicted)
    assert found.shape == predicted.shape and (found == found[0]).all()
    if predicted.ndim == 1 or kind == "several":
        np.testing.assert_allclose(found[0], truth.mean(axis=0), rtol=1e-5)
    else:
        assert found[0].sum() == pytest.approx(1)


def test_a_class_that_training_never_had_is_not_impossible():
    found = Category(3).base_rate(np.array([0, 0]), np.zeros((1, 3)))
    np.testing.assert_allclose(found, [[3 / 5, 1 / 5, 1 / 5]])


@pytest.mark.parametrize("kind", ["probability", "category", "two", "several"])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_that_spoilt_a_prediction_is_found(kind, temperature):
    """Labels are drawn from the probabilities, which are then sharpened or flattened."""
    random, num = np.random.default_rng(3), 4000
    if kind in ("category", "two"):
        num_classes = 2 if kind == "two" else CLASSES
        logits = random.normal(size=(num, num_classes))
        truth = (softmax(logits).cumsum(1) > random.random((num, 1))).argmax(1)
        predicted = softmax(logits * temperature)
    else:
        logits = random.normal(size=(num, CLASSES) if kind == "several" else num)
        truth = (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(int)
        predicted = 1 / (1 + np.exp(-logits * temperature))
    losses = KINDS[kind].losses(truth, predicted)
    assert losses.shape == GRID.shape
    assert best(losses) == pytest.approx(temperature, rel=0.2)


def test_the_loss_at_temperature_one_is_the_log_loss():
    one = int(np.flatnonzero(GRID == 1.0)[0])
    for kind in ("probability", "category", "unknown", "two"):
        truth, predicted = told(kind)
        assert KINDS[kind].losses(truth, predicted)[one] / ROWS == pytest.approx(
            KINDS[kind].measure(truth, predicted)["log_loss"], rel=1e-5
        )


def test_a_step_of_a_funnel_is_calibrated_under_its_condition():
    one = int(np.flatnonzero(GRID == 1.0)[0])
    truth, predicted = told("probability")
    before = np.full(ROWS, 0.99)
    found = Probability().losses(truth, predicted * before, before)
    assert found[one] == pytest.approx(-Probability().qualities(truth, predicted * before).sum(), rel=1e-4)


def test_a_value_has_no_temperature():
    assert not Value().probable
    with pytest.raises(TypeError, match="Value is no probability"):
        Value().losses(*told("value"))


def test_bins_hold_every_row_once(kind):
    answer, (truth, predicted) = KINDS[kind], told(kind)
    for bins in (answer.bins(truth, predicted), answer.quantiles(truth, predicted)):
        assert sum(part.count for part in bins) == {
            "ranking": 0,
            "value": 0,
            "unknown": 0,
            "several": ROWS * CLASSES,
        }.get(kind, ROWS)


def test_two_classes_are_measured_as_the_probability_of_the_second():
    truth, predicted = told("two")
    measured, binary = Category(2).measure(truth, predicted), Probability().measure(truth, predicted[:, 1])
    assert {name: measured[name] for name in binary} == pytest.approx(binary, rel=1e-5)
    assert Category(2).bins(truth, predicted) == Probability().bins(truth, predicted[:, 1])
    assert Category(2).rarer(truth) == Probability().rarer(truth) == (ROWS // 2, "positive")


def test_what_one_class_alone_does_not_define_is_left_out():
    truth, predicted = np.zeros(4, int), np.full((4, 2), 0.5)
    measured = Category(2).measure(truth, predicted)
    assert "auc" not in measured and measured["accuracy"] == measured["balanced_accuracy"] == 1.0
    labels = np.array([[0, 1], [1, 1]])
    assert Category(2, several=True).measure(labels, np.array([[0.1, 0.9], [0.9, 0.9]])) == pytest.approx(
        {"accuracy": 1.0, "log_loss": -math.log(0.9), "auc": 1.0}
    )


def test_macro_f1_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 4, 50), random.random((50, 5))
    expected = f1_score(truth, predicted.argmax(1), average="macro")
    assert Category(5).measure(truth, predicted)["macro_f1"] == pytest.approx(expected)


def test_balanced_accuracy_gives_each_class_the_same_say():
    truth, predicted = np.array([0, 0, 0, 2]), np.eye(3)[[0, 0, 0, 1]]
    measured = Category(3).measure(truth, predicted)
    assert (measured["accuracy"], measured["balanced_accuracy"]) == (0.75, 0.5)


def test_a_caller_gets_the_likeliest_class_and_may_have_unsure_ones_left_out():
    predicted = np.array([[0.2, 0.7, 0.1], [0.4, 0.3, 0.3]])
    frame = Category(3).frame("colour", predicted, ["red", "green", "blue"], at_least=0.5)
    assert frame.to_dict(as_series=False) == {
        "colour": ["green", None],
        "colour_probability": [0.7, 0.4],
        "colour=red": [0.2, 0.4],
        "colour=green": [0.7, 0.3],
        "colour=blue": [0.1, 0.3],
    }
    assert Category(3).frame("colour", predicted, [1, 2, 3])["colour"].to_list() == [2, 1]
    assert Category(3).frame("colour", predicted[:0], [1, 2, 3]).schema["colour"] == pl.Int64
    with pytest.raises(ValueError, match="classes: expected 3 names, found 2"):
        Category(3).frame("colour", predicted, ["red", "green"])


def test_a_caller_gets_the_labels_that_are_likely():
    answer = Category(2, several=True)
    predicted = np.array([[0.2, 0.7], [0.6, 0.5], [0.1, 0.1]])
    assert answer.frame("tags", predicted, ["a", "b"])["tags"].to_list() == [["b"], ["a", "b"], []]
    assert answer.frame("tags", predicted, ["a", "b"], 0.65)["tags"].to_list() == [["b"], [], []]


@pytest.mark.parametrize("kind", ["probability", "value", "ranking"])
def test_a_caller_gets_one_column_of_one_number(kind):
    _, predicted = told(kind)
    frame = KINDS[kind].frame("liked", predicted)
    assert frame.columns == ["liked"] and frame.height == ROWS
    np.testing.assert_allclose(frame["liked"].to_numpy(), predicted)
