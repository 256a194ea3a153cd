import numpy as np
import pytest

from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.model import funnel
from intertask.tasks.next_item import Config as NextItem
from intertask.tasks.response import Config as Response

TASKS = {
    "buy": Response(label="buy", given="click"),
    "next": NextItem(),
    "click": Response(label="click", given="see"),
    "see": Response(label="see"),
}


def log(**labels):
    num = len(next(iter(labels.values())))
    return Sequences(
        np.array([0, num]),
        np.zeros(num, np.int32),
        np.zeros(num, np.uint8),
        None,
        1,
        1,
        {name: np.array(values, np.float32) for name, values in labels.items()},
    )


def test_each_step_comes_after_the_one_before_it_and_other_tasks_stay_in_order():
    assert funnel.steps(TASKS, "buy") == ["buy", "click", "see"]
    assert funnel.in_order(TASKS) == ["next", "see", "click", "buy"]


def test_a_task_by_itself_has_no_condition_and_nothing_else_changes():
    assert funnel.without_steps(TASKS["buy"]) == Response(label="buy")
    assert funnel.without_steps(TASKS["next"]) is TASKS["next"]


def test_a_yes_after_a_no_is_refused_and_a_missing_label_is_neither():
    missing = np.nan
    agreeing = log(see=[1, 1, 0, missing], click=[1, 0, 0, 1], buy=[1, 0, missing, 1])
    funnel.refuse_contradictions(TASKS, agreeing, ("view",))
    with pytest.raises(RecipeError, match=r"\[tasks.click\] given.*'see'.*found 2 events with a no"):
        funnel.refuse_contradictions(TASKS, log(see=[0, 0, 1], click=[1, 1, 1], buy=[0, 0, 1]), ("view",))
