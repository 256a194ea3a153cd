"""Forecasts: quantiles that never cross, naive references, and a series that can be forecast, end to end."""

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError

from intertask import Recipe
from intertask.answers.forecast import Forecast as ForecastAnswer
from intertask.answers.forecast import pinball
from intertask.data.rows import Rows
from intertask.errors import DataError
from intertask.nn.dimensions import Dimensions
from intertask.predictor import Predictor
from intertask.references import Question
from intertask.references.naive import Config as Naive
from intertask.runs import run as runs
from intertask.tasks.forecast import Config
from tests import worlds

LEVELS = (0.1, 0.5, 0.9)
ANSWER = ForecastAnswer(LEVELS)


def labelled(*values: object) -> Rows:
    frame = pl.DataFrame({"x": [1.0] * len(values), "gain": values}, strict=False)
    return Rows.read(frame, numbers=["x"], labels=["gain"])


def test_the_pinball_loss_is_lowest_at_the_quantiles():
    drawn = np.random.default_rng(0).normal(size=4_000)
    right = np.quantile(drawn, LEVELS)

    def loss(shift):
        return pinball(drawn, np.tile(right + shift, (len(drawn), 1)), LEVELS).mean()

    assert loss(0.0) < min(loss(-0.1), loss(0.1))
    assert pinball(np.array([1.0]), np.array([[0.0]]), (0.9,))[0] == pytest.approx(0.9)
    assert pinball(np.array([-1.0]), np.array([[0.0]]), (0.9,))[0] == pytest.approx(0.1)


def test_metrics_of_known_answers():
    truth = np.array([1.0, -1.0, 2.0, 0.0])
    told = np.array([[0.0, 0.5, 2.0], [-2.0, 1.0, 3.0], [-1.0, 0.0, 1.0], [-1.0, 1.0, 2.0]])
    found = ANSWER.measure(truth, told)
    assert found["mae"] == pytest.approx((0.5 + 2 + 2 + 1) / 4)
    assert found["direction"] == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert found["interval_coverage"] == pytest.approx(3 / 4)
    assert found["pinball_loss"] == pytest.approx(pinball(truth, told, LEVELS).mean())


def test_the_base_rate_covers_as_much_as_it_says():
    drawn = np.random.default_rng(0).normal(size=5_000)
    told = ANSWER.base_rate(drawn, np.zeros((5_000, 3)))
    assert ANSWER.measure(drawn, told)["interval_coverage"] == pytest.approx(0.8, abs=0.01)


def test_a_reference_gets_the_spread_of_its_errors():
    random = np.random.default_rng(0)
    asked, known = random.normal(size=500), random.normal(size=500)
    told = ANSWER.of_reference(asked, known + random.normal(size=500), lambda: known)
    assert np.allclose(told[:, 1], asked, atol=1e-6)
    assert ANSWER.measure(asked + random.normal(size=500), told)["interval_coverage"] == pytest.approx(
        0.8, abs=0.06
    )


def task(config: Config, rows: Rows):
    facts = config.fit("gain", rows)
    with worlds.seeded():
        return config.build("gain", Dimensions(4, 1, ("gain",), answers={"gain": facts}), None), facts


def test_quantiles_never_cross_and_begin_at_those_of_training():
    random = np.random.default_rng(0)
    own, facts = task(Config(), labelled(*random.normal(3, 2, 400)))
    assert np.allclose(own.answer(torch.zeros(1, 4)).detach()[0], facts.quantiles, atol=1e-2)
    with torch.no_grad():
        own.head.weight.normal_(std=50)
    told = own.answer(torch.randn(200, 4))
    assert (told.diff(dim=1) >= 0).all()


def test_the_loss_is_that_of_the_answer_in_standard_deviations():
    random = np.random.default_rng(0)
    values = random.normal(3, 2, 60)
    own, facts = task(Config(), labelled(*values))
    states = torch.randn(60, 4)
    found = own.loss(states, Config().target(values, np.ones(60, np.float32), facts)).item()
    told = own.answer(states).detach().numpy()
    assert found == pytest.approx(ANSWER.measure(values, told)["pinball_loss"] / facts.deviation, rel=1e-4)


def test_rows_without_a_label_teach_nothing():
    own, facts = task(Config(), labelled(1.0, 2.0, None))
    truth = Config().labels("gain", labelled(None, None), facts)
    assert own.loss(torch.zeros(2, 4), Config().target(truth, np.ones(2, np.float32), facts)) is None


@pytest.mark.parametrize("values", [(1.0, 1.0), (None, None), ("much", "little")])
def test_labels_of_which_nothing_can_be_learned_are_refused(values):
    with pytest.raises(DataError):
        Config().fit("gain", labelled(*values))


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.9, 0.5), (0.5, 0.5), (0.0, 0.5)])
def test_levels_that_cannot_be_are_refused(levels):
    with pytest.raises(ValidationError):
        Config(levels=levels)


def asked(columns: dict[str, list[float]], truth: list[float]) -> Question:
    rows = Rows.read(pl.DataFrame(columns), numbers=list(columns), categories=[])
    return Question(rows, np.array(truth, np.float64), None, np.ones(len(truth), np.float32))


VALUES = asked({"x[-2]": [1.0, 2], "x[-1]": [3.0, 4], "x[0]": [5.0, 6]}, [7.0, 8.0])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"manner": "last", "change": False}, [5, 6]),
        ({"manner": "last"}, [0, 0]),
        ({"manner": "season", "change": False, "season": 3}, [1, 2]),
        ({"manner": "season", "change": False, "season": 1}, [5, 6]),
        ({"manner": "season", "season": 2, "label": "x+2"}, [3 + 5, 4 + 6]),
        ({"manner": "mean"}, [7.5, 7.5]),
    ],
)
def test_naive_forecasts_are_what_they_are_called(options, expected):
    own = Naive.model_validate({"label": "x+1", **options})
    assert own.answers(VALUES)
    assert own.fit(VALUES, VALUES, 1)(VALUES.rows).tolist() == expected


def test_a_random_direction_is_half_up_and_of_the_usual_size():
    truth = list(np.random.default_rng(0).normal(size=1_000))
    question = asked({"x[0]": truth}, truth)
    told = Naive(manner="random").fit(question, question, 7)(question.rows)
    assert 0.45 < (told > 0).mean() < 0.55
    assert np.allclose(np.abs(told), np.median(np.abs(truth)))


def test_a_season_longer_than_the_window_is_not_answered():
    assert not Naive(manner="season", label="x+1", season=9).answers(VALUES)


TOML = """\
width = 8
[data.series]
path = "long.csv"
time = "day"
group = "share"
columns = ["price"]
window = 6
changes = "difference"
target_change = "difference"
[split]
kind = "walk_forward"
windows = 2
[input]
kind = "series"
kernel = 3
dropout = 0.0
[encoder]
kind = "gru"
dropout = 0.0
[tasks.gain]
kind = "forecast"
label = "price+1"
season = 4
[train]
epochs = 6
workers = 0
learning_rate = 0.02
average = 0.5
[evaluation]
resamples = 100
references = { linear = { kind = "linear" } }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two shares whose changes turn around every second day."""
    folder = tmp_path_factory.mktemp("shares")
    random = np.random.default_rng(0)
    days = pl.Series(np.arange(160) * 86_400 + 1_600_000_000)
    frames = []
    for place, name in enumerate("ab"):
        steps = np.where((np.arange(160) + place) % 4 < 2, 1.0, -1.0) + 0.2 * random.normal(size=160)
        frames.append(pl.DataFrame({"share": name, "day": days, "price": 100 + np.cumsum(steps)}))
    pl.concat(frames).write_csv(folder / "long.csv")
    (folder / "r.toml").write_text(TOML)
    runs.train(folder / "r.toml", folder / "run")
    return folder / "run"


def test_a_series_that_can_be_forecast_is_and_naive_forecasts_are_in_the_table(run):
    found = runs.evaluate(run)
    rows = {row.system: row.metrics for row in found.responses}
    assert set(rows) == {
        *("intertask", "base rate", "last value", "seasonal naive", "mean", "random direction", "linear"),
    }
    assert rows["intertask"]["direction"] > 0.9
    assert rows["random direction"]["direction"] < 0.7
    assert rows["seasonal naive"]["direction"] > 0.9
    assert rows["last value"]["direction"] == 0.5
    assert rows["intertask"]["pinball_loss"] < rows["mean"]["pinball_loss"]
    assert found.protocol.resampled == "group"


def test_a_long_table_is_answered_row_by_row(run):
    model = Predictor.load(run)
    told = model.predict(run.parent / "long.csv")
    assert told.columns[:3] == ["share", "time", "gain"]
    assert len(told) == 2 * (160 - 6)
    assert (told["gain_0.1"] <= told["gain"]).all()


def test_a_recipe_of_series_needs_no_more_than_its_table_and_a_task():
    series = {"path": "long.csv", "time": "day", "columns": ["price"]}
    tasks = {"gain": {"kind": "forecast", "label": "price+1"}}
    recipe = Recipe.model_validate({"data": {"series": series}, "tasks": tasks})
    assert recipe.input.kind == "series" and recipe.split.kind == "walk_forward"
