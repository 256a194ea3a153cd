"""The report of an evaluation whose targets are rows of a table: what its answers offer, and no history."""

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from intertask.answers.category import Category
from intertask.answers.value import Value
from intertask.evaluate.protocol import RowsProtocol
from intertask.evaluate.results import Evaluation, Provenance
from intertask.evaluate.scoring import Answers, Bootstrap, scored
from intertask.report import terminal, write
from intertask.report.drawings import drawings
from intertask.report.figures import interval, number, signed
from intertask.report.journal import read
from intertask.report.verdict import verdicts

NUM = 120
PROTOCOL = RowsProtocol(data="cd" * 32, split="groups_out", part="test", num_targets=NUM)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """A class and a value of each row, of the model and of two references, by hospital."""
    random = np.random.default_rng(0)
    ill = random.integers(2, size=NUM)
    hospitals = {f"hospital: {name}": np.arange(NUM) % 2 == place for place, name in enumerate("ZB")}
    found = []
    for task, knows in (("ill", 2.0), ("age", 1.0)):
        by_system = {}
        for place, system in enumerate(("intertask", "trees", "base rate")):
            told = random.normal(size=NUM) / 2 + knows * ill / (1 + place)
            yes = 1 / (1 + np.exp(-told))
            by_system[system] = (
                Answers(Category(2), ill, np.stack([1 - yes, yes], 1))
                if task == "ill"
                else Answers(Value(), knows * ill.astype(float), told)
            )
        bootstrap = Bootstrap(lambda: np.random.default_rng(1), 100, PROTOCOL.unit)
        found.append(scored(task, by_system, np.arange(NUM), np.arange(NUM), bootstrap, hospitals))
    return Evaluation(
        model="heart",
        protocol=PROTOCOL,
        provenance=Provenance(seed=1, commit="c", version="v", command="x", date="2026-01-01", machine="m"),
        rankings=[],
        lists=[],
        differences=[row for one in found for row in one.differences],
        responses=[row for one in found for row in one.rows],
    )


@pytest.fixture(scope="module")
def html(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> str:
    run: Path = tmp_path_factory.mktemp("run")
    evaluation.write(run / "evaluation.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)  # the tables hold every figure
        return write(run).read_text(encoding="utf-8")


def test_each_task_has_a_section_with_all_its_figures(html: str, evaluation: Evaluation) -> None:
    sections = dict(re.findall(r'<section id="(task-\w+)">(.*?)</section>', html, re.DOTALL))
    assert set(sections) == {"task-ill", "task-age"}
    for row in evaluation.scores:
        own = sections[f"task-{row.task}"]
        assert all(number(value) in own for value in row.metrics.values())
        assert all(interval(bounds) in own for bounds in row.intervals.values())
    for difference in evaluation.differences:
        assert signed(difference.difference) in sections[f"task-{difference.task}"]
    for words in ("hospital: Z", "hospital: B"):
        assert all(words in section for section in sections.values())
    assert "Calibration in figures" in sections["task-ill"]
    assert "Calibration in figures" not in sections["task-age"]
    assert "AUC ↑" in sections["task-ill"] and "RMSE ↓" in sections["task-age"]


def test_an_auc_of_a_slice_with_too_few_is_not_shown(evaluation: Evaluation, tmp_path: Path) -> None:
    why = {"too_few": "3 positives among 9 targets"}
    few = [
        row.model_copy(update=why if row.slice == "hospital: Z" else {})
        for row in evaluation.scores
        if row.task == "ill"
    ]
    found = evaluation.model_copy(update={"responses": few, "differences": []})
    found.write(tmp_path / "evaluation.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        page = write(tmp_path).read_text(encoding="utf-8")
    slices = page[page.index("hospital: Z") :]
    own, other = slices[: slices.index("hospital: B")], slices[slices.index("hospital: B") :]
    assert own.count("too few") == 3 and "<b>" not in own
    assert "too few" not in other and "<b>" in other


def test_what_was_drawn_is_called_by_its_name_and_no_history_is_told_of(html: str) -> None:
    assert "paired bootstrap over rows" in html and "resampled rows" in html
    body = html[html.index("<body") :]
    assert "history" not in body and "users" not in body and "candidates" not in body


def test_the_first_metric_of_a_task_decides(evaluation: Evaluation) -> None:
    by_task = {verdict.task: verdict.sentence for verdict in verdicts(evaluation.differences)}
    assert "at AUC" in by_task["ill"] and "at Squared error, negated" in by_task["age"]


def test_plots_are_of_what_the_answer_offers(evaluation: Evaluation) -> None:
    rows = [row for row in evaluation.scores if row.task == "ill"]
    found = evaluation.model_copy(
        update={
            "responses": rows,
            "differences": [row for row in evaluation.differences if row.task == "ill"],
        }
    )
    names = {plot.name for plot in drawings(found, read(Path("none"))).all()}
    assert names == {"forest-ill-auc", "slices-hospital-ill", "reliability-ill", "abstention-ill"}


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_the_same(evaluation: Evaluation, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    terminal.show(evaluation, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for row in evaluation.scores:
        if row.slice == "all":
            assert all(number(value) in text for value in row.metrics.values())
    assert "ill by slice, AUC" in text and "age by slice, RMSE" in text and "history" not in text
