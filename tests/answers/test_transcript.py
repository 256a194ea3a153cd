"""Error rates of texts: known answers, and the rates of jiwer over all rows."""

import jiwer
import numpy as np
import pytest

from intertask.answers.transcript import Transcript
from intertask.metrics.direction import all_rising

ANSWER = Transcript()


def texts(*own: str) -> np.ndarray:
    return np.array(own, object)


RIGHT = texts("one two three", "four", "five six", "seven")
TOLD = texts("one two tree", "four four", "", "seven")


def test_rates_are_errors_of_all_rows_by_words_of_all_rows():
    found = ANSWER.measure(RIGHT, TOLD)
    assert found["word_error_rate"] == pytest.approx(jiwer.wer(list(RIGHT), list(TOLD)))
    assert found["character_error_rate"] == pytest.approx(jiwer.cer(list(RIGHT), list(TOLD)))
    assert found["word_error_rate"] == pytest.approx(4 / 7)


def test_what_is_right_has_no_error_and_nothing_is_all_wrong():
    assert ANSWER.measure(RIGHT, RIGHT) == {"word_error_rate": 0.0, "character_error_rate": 0.0}
    assert list(ANSWER.measure(RIGHT, ANSWER.guess(RIGHT)).values()) == pytest.approx([1.0, 1.0])


def test_the_mean_of_the_rows_is_the_rate_that_the_bootstrap_draws():
    found = ANSWER.measure(RIGHT, TOLD)
    assert -ANSWER.qualities(RIGHT, TOLD).mean() == pytest.approx(found["word_error_rate"])


def test_words_that_nobody_said_count_where_the_text_is_empty():
    assert ANSWER.measure(texts("a b", ""), texts("a b", "c"))["word_error_rate"] == pytest.approx(0.5)


def test_a_low_rate_is_better():
    assert all_rising({"word_error_rate": 0.25}) == {"-word_error_rate": -0.25}


def test_the_base_rate_is_the_most_frequent_text():
    assert list(ANSWER.base_rate(texts("b", "a", "b"), texts("x", "y"))) == ["b", "b"]


def test_a_caller_gets_texts():
    frame = ANSWER.frame("said", TOLD)
    assert frame["said"].to_list() == list(TOLD)
