import pytest

from intertask.evaluate.results import CalibrationBin, ScoreRow
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


@pytest.mark.parametrize(
    ("shares", "end"), [([], 1.0), ([0.0], 1.0), ([0.9, 0.1], 1.0), ([0.001, 0.02], 0.022), ([0.5], 0.55)]
)
def test_axes_of_shares_end_where_the_data_end(shares, end):
    assert plots.reach(shares) == pytest.approx(end)


def test_the_reliability_of_a_rare_event_fills_its_plot():
    places = [CalibrationBin(predicted=n / 1000, observed=n / 900, count=50) for n in range(1, 11)]
    whole = [CalibrationBin(predicted=0.005, observed=0.006, count=500)]
    row = ScoreRow(
        system="intertask", task="bought", count=500, metrics={}, calibration=whole, quantiles=places
    )
    ticks = [text for text in plots.reliability([row], "").svg.itertext() if text.strip().startswith("0.0")]
    numbers = {float(text) for text in ticks}
    assert len(numbers) >= 4 and 0.005 < max(numbers) < 0.02
