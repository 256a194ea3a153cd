import numpy as np
import pytest

from intertask.evaluate.results import Evaluation
from intertask.evaluate.sufficiency import too_few
from intertask.events.evaluation import Evaluator
from intertask.report.verdict import headline, verdicts
from tests import shop

MANY = np.arange(574)


@pytest.mark.parametrize(
    ("users", "labels", "reason"),
    [
        (MANY, None, ""),
        (MANY, np.arange(574) < 1, "1 positive among 574 targets, and a verdict needs 20"),
        (MANY, np.arange(574) < 19, "19 positives among 574 targets, and a verdict needs 20"),
        (MANY, np.arange(574) < 20, ""),
        (MANY, np.arange(574) < 554, ""),
        (MANY, np.arange(574) < 555, "19 negatives among 574 targets, and a verdict needs 20"),
        (MANY, np.zeros(574), "0 positives among 574 targets, and a verdict needs 20"),
        (MANY, np.where(MANY < 5, 3, 2), "5 other answers among 574 targets, and a verdict needs 20"),
        (MANY, MANY % 3, ""),
        (np.arange(19), None, "19 targets, and a verdict needs 20"),
        (np.arange(1), None, "1 target, and a verdict needs 20"),
        (np.arange(20), None, ""),
        (MANY % 9, None, "targets of 9 users, and a verdict needs 10"),
        (MANY % 10, None, ""),
    ],
)
def test_twenty_of_each_and_ten_users_are_the_least(users, labels, reason):
    assert too_few(users, labels) == reason


def test_units_that_are_no_users_are_called_by_their_name():
    words = ("hospital", "hospitals")
    assert too_few(MANY % 4, None, words) == "targets of 4 hospitals, and a verdict needs 10"
    assert too_few(MANY % 1, None, words) == "targets of 1 hospital, and a verdict needs 10"


def test_an_evaluation_of_few_positives_gives_no_verdict_and_says_why():
    fitted = shop.recommender().fitted
    found = Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1).run()
    liked = [row for row in found.differences if row.task == "liked"]
    assert liked and {row.verdict for row in liked} == {"not judged"}
    assert all("and a verdict needs 20" in row.too_few for row in found.responses)
    kept = {row.verdict for row in found.differences if (row.task, row.history) == ("next", "kept")}
    assert "not judged" not in kept
    said = {(at.task, at.history): at for at in verdicts(found.differences)}
    assert said["liked", ""].outcome == said["buys", "kept"].outcome == "unknown"
    assert said["liked", ""].sentence == f"No verdict: {liked[0].too_few}."
    assert headline(list(said.values())).sentence.count("no verdict in ") == 1
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    assert '"verdict":"not judged"' in found.model_dump_json()


def test_where_nothing_can_be_judged_the_headline_claims_nothing():
    fitted = shop.recommender().fitted
    found = Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1).run()
    rows = [row for row in found.differences if row.task in ("liked", "buys")]
    whole = headline(verdicts(rows))
    assert (whole.outcome, whole.sentence[:14]) == ("unknown", "No verdict in ")
