"""Tags of words, measured by words and by entities."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from intertask.answers.tags import Tags, as_rows

TAGS = ("O", "B-PER", "I-PER", "B-LOC")


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = [[str(tag) for tag in random.choice(TAGS, random.integers(1, 9))] for _ in range(count)]
    told = [[str(random.choice(TAGS)) if random.random() < 0.3 else tag for tag in own] for own in truth]
    return as_rows(truth), as_rows(told)


def test_the_report_by_words_is_that_of_scikit_learn():
    truth, told = drawn(50, 0)
    words, found = ([tag for own in side for tag in own] for side in (truth, told))
    measured = Tags().measure(truth, told)
    assert measured["accuracy"] == pytest.approx(accuracy_score(words, found))
    for average in ("macro", "weighted"):
        assert measured[f"{average}_f1"] == pytest.approx(f1_score(words, found, average=average))


def test_means_of_rows_are_the_metrics_of_all():
    truth, told = drawn(50, 1)
    measured, means = Tags().measure(truth, told), Tags().means(truth, told)
    assert means["f1"].mean() == pytest.approx(measured["f1"])
    assert means["accuracy"].mean() == pytest.approx(measured["accuracy"])


def test_resampled_rows_move_as_the_metric_of_the_sample_does():
    """To first order, which is what intervals need."""
    truth, told = drawn(400, 2)
    values, random = Tags().qualities(truth, told), np.random.default_rng(0)
    samples = [random.integers(0, 400, 400) for _ in range(30)]
    exact = np.array([Tags().measure(truth[own], told[own])["f1"] for own in samples])
    near = np.array([values[own].mean() for own in samples])
    assert np.abs(exact - near).max() < 0.3 * exact.std()


def test_words_that_were_cut_off_are_wrong_even_outside_of_entities():
    truth = as_rows([["O", "O", "B-PER"]])
    whole, cut = (Tags().measure(truth, as_rows([own])) for own in (["O", "O", "B-PER"], ["O"]))
    assert (whole["f1"], whole["accuracy"], whole["macro_f1"]) == (1.0, 1.0, 1.0)
    assert (cut["f1"], cut["accuracy"]) == (0.0, pytest.approx(1 / 3))
    assert cut["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)  # O: one of two found, none in vain


def test_an_answer_has_a_column_of_tags_and_one_of_entities():
    frame = Tags().frame("tags", as_rows([["B-PER", "I-PER", "O"], ["O"]]))
    assert frame["tags"].to_list() == [["B-PER", "I-PER", "O"], ["O"]]
    assert frame["tags_entities"].to_list() == [[{"kind": "PER", "start": 0, "end": 2}], []]


def test_who_knows_nothing_says_the_most_frequent_tag():
    known = as_rows([["O", "B-PER"], ["O"]])
    assert Tags().base_rate(known, as_rows([["B-PER"] * 3, []])).tolist() == [["O"] * 3, []]
