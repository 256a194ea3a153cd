"""Several runs in a table that fits a terminal."""

import pytest
from rich.console import Console

from intertask.evaluate.compare import ComparedRow, Comparison
from intertask.evaluate.results import Interval
from intertask.report import comparison
from intertask.report.figures import MINUS

from .test_study_page import PROTOCOL


def row(run, task="next", history="masked", metric="ndcg@10", difference=0.01, p_value=0.001, **more):
    return ComparedRow(
        run=run,
        task=task,
        history=history,
        metric=metric,
        targets=1234,
        first=0.2,
        second=0.2 - difference,
        difference=difference,
        interval=Interval(low=difference - 0.005, high=difference + 0.005),
        p_value=p_value,
        **more,
    )


def found(*rows, runs=("base", "wide", "a-folder-with-a-very-long-name-[v2]-and-more-of-it")):
    return Comparison(
        first="shop (base, seed 1, commit abc)",
        runs=list(runs),
        protocol=PROTOCOL,
        rows=list(rows),
        others=[f"shop ({run}, seed 2, commit abc)" for run in runs[1:]],
    )


def shown(study, *metrics, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        for part in comparison.parts(study, metrics or ("ndcg@10",)):
            console.print(part)
    return captured.get()


LONG = "a-folder-with-a-very-long-name-[v2]-and-more-of-it"
LACKING = "3 positives among 1,234 targets, and a verdict needs 20"
STUDY = found(
    row("wide"),
    row(LONG, difference=-0.01),
    row("wide", metric="hr@10", difference=0.0321),
    row("wide", task="buy", p_value=0.4),
    row("wide", "liked", "", "-log_loss", -0.02),
    row(LONG, "liked", "", "-log_loss", 0.5, too_few=LACKING),
)


def test_a_long_name_of_a_metric_takes_no_column_away():
    for metric, gap in (("-squared_error", 1234.5678), ("-log_loss", 0.5678)):
        text = shown(found(row("wide", "days", "", metric, gap, 0.2), runs=("base", "wide")))
        assert max(map(len, text.splitlines())) <= 80
        heading = ("Squared", "negated") if gap > 1 else ("Log-likelihood",)
        for words in (*heading, "Run is", "open", f"+{gap}", "0.200"):
            assert words in text


def test_each_row_is_shown_once_whatever_metrics_are_asked_for():
    told = row("wide", "days", "", "-squared_error")
    text = shown(found(told, runs=("base", "wide")), "ndcg@10", "-squared_error")
    assert text == shown(found(told, runs=("base", "wide")))


def test_one_metric_is_shown_within_80_columns():
    text = shown(STUDY)
    assert max(map(len, text.splitlines())) <= 80
    assert "hr@10" not in text.lower() and "0.0321" not in text and "…" not in text
    for words in ("next, history masked, 1,234 targets", "NDCG@10", "Log-likelihood", f"{MINUS}0.0100"):
        assert words in text
    assert "+0.0050 to +0.0150" in text and "corrected by Holm" in text
    assert PROTOCOL.fingerprint() in text and "shop (base, seed 1, commit abc)" in text


def test_a_run_is_better_where_the_first_is_worse_and_open_where_chance_decides():
    lines = shown(STUDY, width=140).splitlines()
    ends = [line.split()[-1] for line in lines if " to " in line and "interval" not in line]
    assert ends == ["worse", "better", "open", "better", "few"]
    assert f"No verdict: {LACKING}." in "\n".join(lines)


def test_other_metrics_are_shown_where_they_are_asked_for():
    text = shown(STUDY, "hr@10")
    assert "HR@10" in text and "0.0321" in text and "NDCG@10" not in text and "Log-l" not in text
    assert "HR@10" in shown(STUDY, "ndcg@10", "hr@10") and "NDCG@10" in shown(STUDY, "ndcg@10", "hr@10")


@pytest.mark.parametrize("name", ["\x1b[2J", "[red]x[/red]"])
def test_names_of_folders_give_no_orders(name):
    text = shown(found(row(name), runs=("base", name)), width=140)
    assert "\x1b" not in text and (name in text or "\\x1b[2J" in text)
