import numpy as np
import pytest

from intertask.metrics import responses
from intertask.metrics.direction import all_rising, lower_is_better

LABELS = np.array([0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("measure", "right", "wrong"),
    [
        (responses.binary, [0.1, 0.9, 0.9, 0.1], [0.9, 0.1, 0.1, 0.9]),
        (responses.regression, [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]),
    ],
)
def test_every_metric_of_a_response_rises_from_wrong_answers_to_right_ones(measure, right, wrong):
    better, worse = (all_rising(measure(LABELS, np.array(answers))) for answers in (right, wrong))
    assert better.keys() == worse.keys()
    assert all(better[name] > worse[name] for name in better)


def test_a_negated_error_is_an_error_no_longer_and_a_cut_off_does_not_count():
    assert [lower_is_better(name) for name in ("rmse", "-rmse", "mae@10", "ndcg@10")] == [
        True,
        False,
        True,
        False,
    ]
