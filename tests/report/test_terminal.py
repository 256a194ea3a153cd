"""Tables for the terminal, at the widths that terminals have."""

import io

import pytest
from rich.console import Console

from intertask.evaluate.results import Evaluation
from intertask.report import terminal
from intertask.report.figures import interval, number


def _shown(evaluation: Evaluation, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    terminal.show(evaluation, console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(evaluation: Evaluation, width: int) -> None:
    text = _shown(evaluation, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    for row in evaluation.rankings:
        assert number(row.metrics["ndcg@10"]) in text or row.slice != "all"
        if row.slice == "all":
            assert interval(row.intervals["ndcg@10"]) in text
            assert number(row.metrics["map@10"]) in text
    for response in evaluation.responses:
        assert all(number(value) in text for value in response.metrics.values())


def test_a_wide_terminal_shows_every_interval(evaluation: Evaluation) -> None:
    row, wide, narrow = evaluation.rankings[0], _shown(evaluation, 120), _shown(evaluation, 80)
    assert interval(row.intervals["hr@10"]) in wide
    assert interval(row.intervals["hr@10"]) not in narrow


def test_verdict_and_protocol_stand_with_the_figures(evaluation: Evaluation) -> None:
    text = " ".join(_shown(evaluation, 80).split())
    assert "ease beats the model at NDCG@10" in text
    assert "leave-one-out" in text
    for words in (
        "seed 17",
        f"protocol {evaluation.protocol.fingerprint()}",
        "commit c0ffee",
        "definitions 1",
    ):
        assert words in text


@pytest.mark.parametrize("width", [80, 120])
def test_findings_stand_below_the_tables_with_what_to_do(evaluation: Evaluation, width: int) -> None:
    text = " ".join(_shown(evaluation, width).split())
    for finding in evaluation.findings:
        said = " ".join(f"{finding.severity} {finding.text} {finding.advice}".split())
        assert text.index(said) > text.index("beats the model")
    assert text.index("note als was cut short") > text.index("Nothing helps.")


def test_square_brackets_in_a_name_are_no_markup(evaluation: Evaluation) -> None:
    row = evaluation.rankings[0].model_copy(update={"system": "[bold]x[/]"})
    assert "[bold]x[/]" in _shown(evaluation.model_copy(update={"rankings": [row]}), 80)
