"""Tasks that are asked once of each row: classes, several labels, numbers."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from scipy.stats import entropy

from intertask.data.rows import Rows
from intertask.errors import DataError, RecipeError
from intertask.nn.dimensions import Dimensions
from intertask.tasks._rows import Labels, RowTask, RowTaskConfig
from intertask.tasks.category import Config as Category
from intertask.tasks.regression import Config as Regression
from tests import worlds

FRAME = pl.DataFrame(
    {
        "x": [1.0, 2, 3, 4, 5, 6],
        "grade": [3, 10, 3, None, 10, 3],
        "topics": [["a"], ["b", "a"], [], None, ["c"], ["a"]],
        "stay": [1.0, 2.0, 4.0, None, 3.0, 6.0],
        "same": [1, 1, 1, 1, 1, None],
    }
)
LABELS = ["grade", "topics", "stay", "same"]
ROWS = Rows.read(FRAME, labels=LABELS, several=["topics"], numbers=["x"])
ONE, SEVERAL, NUMBER = (
    Category(label="grade"),
    Category(label="topics", several=True),
    Regression(label="stay"),
)
EVERY: list[RowTaskConfig] = [
    ONE,
    SEVERAL,
    NUMBER,
    Category(label="grade", class_weights="balanced"),
    Category(label="grade", class_weights={"10": 5.0}),
    Category(label="grade", class_weights="balanced", smoothing=0.3),
    Category(label="topics", several=True, smoothing=0.3),
    Regression(label="stay", loss="absolute"),
    Regression(label="stay", loss="huber"),
]


def built(config: RowTaskConfig) -> RowTask:
    with worlds.seeded():
        task = config.build("t", Dimensions(4, 1, ("t",), answers={"t": config.fit("t", ROWS)}), None)
    assert isinstance(task, RowTask)
    return task


def target(config: RowTaskConfig, weights: list[float] | None = None) -> Labels:
    facts = config.fit("t", ROWS)
    return config.target(config.labels("t", ROWS, facts), np.array(weights or [1.0] * 6, np.float32), facts)


def test_classes_are_in_the_order_of_numbers_and_of_words() -> None:
    classes = ONE.fit("t", ROWS)
    assert (classes.names, classes.counts, classes.rows) == (("3", "10"), (3, 2), 5)
    assert classes.spelt == [3, 10]
    assert ONE.labels("t", ROWS, classes).tolist() == [0, 1, 0, -1, 1, 0]
    topics = SEVERAL.fit("t", ROWS)
    assert (topics.names, topics.counts, topics.spelt) == (("a", "b", "c"), (3, 1, 1), ["a", "b", "c"])
    labels = SEVERAL.labels("t", ROWS, topics)
    assert labels[:3].tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]] and np.isnan(labels[3]).all()


def test_a_class_that_training_has_not_seen_is_no_label() -> None:
    classes = ONE.fit("t", ROWS)
    strange = Rows.read(FRAME.with_columns(grade=pl.lit(7)), labels=["grade"], numbers=["x"])
    assert (ONE.labels("t", strange, classes) == -1).all()


@pytest.mark.parametrize("config", EVERY)
def test_the_facts_are_their_json(config: RowTaskConfig) -> None:
    facts = config.fit("t", ROWS)
    assert config.facts(json.loads(facts.model_dump_json())) == facts


@pytest.mark.parametrize("config", EVERY)
def test_rows_without_a_label_change_no_loss(config: RowTaskConfig) -> None:
    task, states = built(config), torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    loss, some = task.loss(states, target(config)), np.array([0, 1, 2, 4, 5])
    assert loss is not None and loss.isfinite()
    assert torch.allclose(loss, task.loss(states[some], target(config).take(some)))  # type: ignore[arg-type]
    assert task.loss(states[3:4], target(config).take(np.array([3]))) is None


@pytest.mark.parametrize("config", EVERY)
def test_a_row_of_weight_two_counts_as_two_and_one_of_weight_zero_not_at_all(config: RowTaskConfig) -> None:
    task, states = built(config), torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    weighted = task.loss(states, target(config, [2.0, 0.0, 1.0, 1.0, 1.0, 1.0]))
    again = np.array([0, 0, 2, 3, 4, 5])
    repeated = task.loss(states[again], target(config).take(again))
    assert torch.allclose(weighted, repeated)  # type: ignore[arg-type]
    assert task.loss(states, target(config, [0.0] * 6)) is None


@pytest.mark.parametrize("config", EVERY)
def test_the_scale_is_the_least_loss_without_looking(config: RowTaskConfig) -> None:
    task, given = built(config), target(config)
    answer = torch.zeros(task.head.out_features, requires_grad=True)  # type: ignore[union-attr, arg-type]
    torch.nn.init.zeros_(task.head.weight)  # type: ignore[union-attr, arg-type]
    optimiser = torch.optim.LBFGS([answer], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        task.head.bias = None  # type: ignore[union-attr, assignment]
        task.head.forward = lambda states: answer.expand(len(states), -1)  # type: ignore[union-attr, assignment]
        found = task.loss(torch.zeros(6, 4), given)
        assert found is not None
        found.backward()
        return found

    least = float(min(optimiser.step(loss) for _ in range(5)).detach())
    if isinstance(config, Regression) and config.loss == "huber":
        assert least <= config.scale(config.fit("t", ROWS))
    else:
        assert config.scale(config.fit("t", ROWS)) == pytest.approx(least, abs=2e-3)


def test_balanced_classes_count_the_same() -> None:
    assert Category(label="grade", class_weights="balanced").scale(ONE.fit("t", ROWS)) == pytest.approx(
        np.log(2)
    )
    assert ONE.scale(ONE.fit("t", ROWS)) == pytest.approx(entropy([3, 2]))


def test_answers_are_probabilities_or_numbers_of_the_labels_unit() -> None:
    states = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(built(ONE).answer(states).sum(1), torch.ones(5))
    several = built(SEVERAL).answer(states)
    assert several.shape == (5, 3) and (several > 0).all() and (several < 1).all()
    spread, task = NUMBER.fit("t", ROWS), built(NUMBER)
    told = task.head(states)[:, 0].double()  # type: ignore[operator]
    assert torch.allclose(task.answer(states), told * spread.deviation + spread.mean)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Category(), "a label of the rows: grade, topics, stay, same, found 't'"),
        (Category(label="same"), "2 to 10,000 classes among the training rows, found '1'"),
        (Category(label="topics"), "set .tasks.t. several = true"),
        (
            Category(label="grade", several=True),
            r"\[data.rows\] several = \['grade'\], found one label a row",
        ),
        (Category(label="grade", class_weights={"11": 2.0}), "classes: '3', '10', found '11'"),
        (Regression(label="topics"), "a number a row, found several labels"),
        (Regression(label="same"), "two different numbers among the training rows, found 1 in all 5"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_one_line(config: RowTaskConfig, message: str) -> None:
    with pytest.raises((DataError, RecipeError), match=message) as caught:
        config.fit("t", ROWS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["many", "inf", "1e300"])
def test_a_label_that_is_no_finite_number_is_no_regression(word: str) -> None:
    strange = replace(ROWS, labels=ROWS.labels.with_columns(stay=pl.lit(word)))
    with pytest.raises(
        DataError,
        match=rf"finite numbers of at most 1e\+30 as labels of a regression, found '{word}' in 6 of 6",
    ):
        NUMBER.fit("t", strange)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([f"{number / 7:.3f}" for number in range(290)], 'kind = "regression" learns numbers'),
        ([f"row {number}" for number in range(290)], "choose another label"),
    ],
)
def test_a_label_that_is_another_one_in_nearly_each_row_is_no_category(words: list[str], hint: str) -> None:
    def rows(label: list[str]) -> Rows:
        labels = pl.DataFrame({"label": label})
        return replace(ROWS, inputs=pl.DataFrame({"x": range(len(label))}), labels=labels)

    told = "classes that most training rows share with another one, found 290 classes in 290 rows"
    with pytest.raises(DataError, match=f"{told}; {hint}"):
        Category(label="label").fit("t", rows(words))
    assert len(Category(label="label").fit("t", rows([*words, *words])).names) == 290
    assert len(Category(label="label").fit("t", rows(words[:20])).names) == 20  # few of them: a small table


@pytest.mark.parametrize("weights", [{"3": 0.0}, {"3": -1.0}, {"3": 1e9}])
def test_weights_of_classes_are_numbers_above_zero(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="class_weights above 0"):
        Category(class_weights=weights)
