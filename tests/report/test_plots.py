import pytest

from intertask.report import plots
from intertask.report.journal import Journal, Validation


@pytest.mark.parametrize("length", [3, 20, 30, 90])
def test_names_of_tasks_of_any_length_leave_room_for_the_curves(length: int) -> None:
    # A legend that crushes the axes is a warning of the layout, which fails a test.
    tasks = [letter * length for letter in "abcd"]
    found = [
        Validation(epoch, {f"{task}/ndcg@10": 0.1 + epoch for task in tasks}, best=True, seconds=1)
        for epoch in range(3)
    ]
    plot = plots.validation(Journal(validations=found), [f"{task}/ndcg@10" for task in tasks], "footer")
    told = [text for text in plot.svg.itertext() if " at best" in text or "…" in text]
    assert [text[:3] for text in told] == [task[:3] for task in tasks]
