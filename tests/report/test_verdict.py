"""The verdict in words, on differences whose answer is known."""

from intertask.report.verdict import headline, verdicts

from .conftest import difference


def test_above_every_baseline_is_a_win_and_names_the_closest() -> None:
    (found,) = verdicts([difference("pop", 0.04, 0.03, 0.05), difference("ease", 0.011, 0.002, 0.02)])
    assert found.outcome == "win"
    assert found.sentence == (
        "The model is above all 2 baselines at NDCG@10; the closest is ease: "
        "model minus ease +0.0110, 95 % interval +0.0020 to +0.0200."
    )


def test_one_baseline_above_is_a_loss_and_names_it() -> None:
    rows = [
        difference("pop", 0.04, 0.03, 0.05),
        difference("knn", 0.001, -0.004, 0.006),
        difference("ease", -0.012, -0.02, -0.003),
        difference("als", -0.008, -0.015, -0.001),
    ]
    (found,) = verdicts(rows)
    assert found.outcome == "lose"
    assert found.sentence == (
        "ease beats the model at NDCG@10: model minus ease \N{MINUS SIGN}0.0120, "
        "95 % interval \N{MINUS SIGN}0.0200 to \N{MINUS SIGN}0.0030. als beats it too. "
        "No difference is shown to knn. The model is above pop."
    )


def test_an_interval_with_zero_inside_decides_nothing() -> None:
    (found,) = verdicts([difference("pop", 0.04, 0.03, 0.05), difference("ease", 0.011, -0.001, 0.02)])
    assert found.outcome == "undecided"
    assert found.sentence.startswith("No difference is shown between the model and ease at NDCG@10")
    assert found.sentence.endswith("The model is above pop, and below none.")


def test_an_interval_that_touches_zero_decides_nothing() -> None:
    assert verdicts([difference("ease", 0.01, 0.0, 0.02)])[0].outcome == "undecided"
    assert verdicts([difference("ease", -0.01, -0.02, 0.0)])[0].outcome == "undecided"


def test_other_metrics_do_not_change_the_verdict() -> None:
    rows = [difference("ease", 0.011, 0.002, 0.02)]
    other = difference("ease", -0.3, -0.4, -0.2).model_copy(update={"metric": "hr@10"})
    assert verdicts([other, *rows]) == verdicts(rows)


def test_the_headline_is_a_win_only_where_every_comparison_is() -> None:
    win, lost = difference("ease", 0.1, 0.05, 0.2), difference("ease", -0.1, -0.2, -0.05, task="buy")
    open_ = difference("ease", 0.1, -0.05, 0.2, task="view")
    assert headline(verdicts([win])).sentence.startswith("The model is above ease, the only baseline")
    both = headline(verdicts([win, lost, open_]))
    assert both.outcome == "lose"
    assert both.sentence == (
        "The model is above every baseline in 1 of 3 comparisons, below at least one in 1, undecided in 1."
    )
    second = win.model_copy(update={"task": "buy"})
    assert headline(verdicts([win, second])).outcome == "win"
    assert headline(verdicts([win, open_])).outcome == "undecided"


def test_without_differences_nothing_is_claimed() -> None:
    assert headline(verdicts([])).outcome == "unknown"


def test_a_response_is_judged_by_its_own_metric_beside_the_rankings() -> None:
    response = {"task": "liked", "history": "", "metric": "-log_loss"}
    rows = [
        difference("pop", 0.04, 0.03, 0.05),
        difference("base rate", -0.1, -0.2, -0.05).model_copy(update=response),
    ]
    ranking, answer = verdicts(rows)
    assert (ranking.outcome, answer.outcome) == ("win", "lose")
    assert answer.sentence.startswith("base rate beats the model at Log-likelihood: model minus base rate")
    assert verdicts(rows[1:]) == [answer]
