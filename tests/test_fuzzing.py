import time

import numpy as np
import pytest

from intertask.errors import RequestError
from tests.fuzzing import fuzz


@pytest.fixture(autouse=True)
def own_numbers(monkeypatch):
    monkeypatch.delenv("INTERTASK_FUZZ", raising=False)
    monkeypatch.delenv("INTERTASK_FUZZ_FROM", raising=False)


def refuse(_random):
    raise RequestError("k", "a number", "none")


def hold_memory(_random):
    np.ones(30_000_000).sum()


def claim_something_wrong(_random):
    assert 2 + 1 == 4


class LongError(RequestError):
    """Messages are cut; this one is as if they were not."""

    def __str__(self):
        return self.found


def refuse_at_length(_random):
    raise LongError("k", "a number", "x" * 5_000)


def test_answers_and_refusals_are_counted():
    counts = fuzz(lambda random: refuse(random) if random.random() < 0.5 else None, inputs=50)
    assert counts.inputs == 50
    assert counts.answered + counts.refused == 50
    assert min(counts.answered, counts.refused) > 10


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (lambda _random: 1 / 0, "traceback"),
        (claim_something_wrong, "wrong"),
        (lambda _random: time.sleep(20), "hang"),
        (hold_memory, "memory"),
        (refuse_at_length, "long message"),
    ],
)
def test_what_must_not_happen_fails_and_is_named(one, kind):
    with pytest.raises(AssertionError, match=f"1 inputs: 1 {kind}.*\n?.*input 0: {kind}"):
        fuzz(one, inputs=1, seconds=0.3 if kind == "hang" else 5, megabytes=100)


def test_an_input_is_the_same_whatever_came_before_it(monkeypatch):
    seen: list[float] = []
    fuzz(lambda random: seen.append(random.random()), inputs=9)
    monkeypatch.setenv("INTERTASK_FUZZ", "2")
    monkeypatch.setenv("INTERTASK_FUZZ_FROM", "7")
    again: list[float] = []
    fuzz(lambda random: again.append(random.random()), inputs=9)
    assert again == seen[7:]


def test_an_error_that_is_not_allowed_is_a_traceback():
    with pytest.raises(AssertionError, match="1 traceback"):
        fuzz(refuse, inputs=1, allowed=ValueError)
