"""What to do after a study is said in a line for each kind of task, and every task is in one of them."""

import numpy as np
import pytest

from intertask.report.plan import detectable, plan
from tests.report.test_study_page import change, found


def with_changes(study, *changes):
    tasks = [task.model_copy(update={"alone": one}) for task, one in zip(study.tasks, changes, strict=True)]
    return study.model_copy(update={"tasks": tasks})


def test_tasks_that_gain_or_do_not_lose_stay_together():
    lines = plan(with_changes(found(like=0.01), change(0.02), change(0.0, 1.0)))
    assert lines[0] == "Train together: buy and <b>like</b>."
    assert lines[1].startswith("<b>like</b>: no change is shown. A change of 7 % or more")
    assert len(lines) == 2


def test_a_task_that_opposes_another_is_detached_and_one_that_loses_by_itself_is_trained_alone():
    assert plan(found()) == ["Detach: buy (detached = true in the section of the task)."]
    assert plan(found(opposed_by=None)) == ["Train alone: <b>like</b>, in a recipe without the others."]


def test_of_a_task_with_few_targets_nothing_is_advised():
    few = change(-0.01).model_copy(update={"too_few": "3 targets, and a verdict needs 20"})
    lines = plan(with_changes(found(), change(0.02), few))
    assert any("Too few targets to say anything of <b>like</b>" in line for line in lines)
    assert not any("alone" in line or "Detach" in line for line in lines)


def test_a_change_of_the_stated_size_is_found_four_times_of_five():
    drawn, alone, error = np.random.default_rng(0), 0.2, 0.01
    interval = {"low": -1.96 * error, "high": 1.96 * error}
    one = change(0.0, 1.0).model_copy(update={"interval": change(0.0).interval.model_copy(update=interval)})
    size = detectable(one) / 100 * alone
    found_it = abs(drawn.normal(size, error, 20_000)) > 1.96 * error
    assert found_it.mean() == pytest.approx(0.8, abs=0.01)
