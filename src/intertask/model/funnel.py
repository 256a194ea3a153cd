"""Funnels: responses to one event, each of which can only be a yes where the step before it is one.

A task names the step before it as `given`. Its head learns the probability under that condition; what it
answers is the product of the steps. Knows tasks and their heads, and no model.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from intertask.data.batches import Following
from intertask.data.seam import Target
from intertask.data.sequences import Sequences
from intertask.errors import RecipeError
from intertask.tasks import TaskConfig
from intertask.tasks.response import Config as Response
from intertask.tasks.response import Response as Head


def step_before(task: TaskConfig) -> str | None:
    """The name of the step before a task; None where it is no further step of a funnel."""
    return task.given if isinstance(task, Response) else None


def steps(tasks: Mapping[str, TaskConfig], name: str) -> list[str]:
    """A task, the one before it, and so on to the first step.

    Raises:
        RecipeError: A step is missing, is no binary response, or comes twice.
    """
    found = [name]
    while (before := step_before(tasks[found[-1]])) is not None:
        where = f"[tasks.{found[-1]}] given"
        binary = [other for other, task in tasks.items() if task.judges and task.answer.probable]
        if before not in binary:
            others = ", ".join(other for other in binary if other != found[-1]) or "none, there is no other"
            raise RecipeError(where, f"another binary response: {others}", repr(before))
        if before in found:
            raise RecipeError(
                where, "a funnel with an end", " given ".join([*found, before]), "break the loop"
            )
        found.append(before)
    return found


def in_order(tasks: Mapping[str, TaskConfig]) -> list[str]:
    """The names of all tasks, each step of a funnel after the one before it."""
    return sorted(tasks, key=lambda name: len(steps(tasks, name)))


def without_steps(task: TaskConfig) -> TaskConfig:
    """The same task by itself, asked without a condition."""
    return task if step_before(task) is None else task.model_copy(update={"given": None})


def loss(
    tasks: Mapping[str, TaskConfig],
    heads: nn.ModuleDict,
    name: str,
    states: Mapping[str, Tensor],
    target: Target,
) -> Tensor | None:
    """The loss of a further step: of the product of the steps, on all labels.

    Args:
        tasks: Of the model, by name.
        heads: Their heads.
        name: Of a task with a step before it.
        states: Of all tasks, [B, L, D].
        target: The events that follow.
    """
    head = _head(heads, name)
    assert isinstance(target, Following)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not tasks[name].detached):
        before_BL = _log_before(tasks, heads, name, states, target.items_BL)
    return head.loss(states[name], target, before_BL)


def predict(
    tasks: Mapping[str, TaskConfig],
    heads: nn.ModuleDict,
    name: str,
    states: Mapping[str, Tensor],
    items_N: Tensor,
) -> Tensor:
    """The probability of a further step: the product of the steps, [N].

    Args:
        tasks: Of the model, by name.
        heads: Their heads.
        name: Of a task with a step before it.
        states: Of all tasks, [N, D].
        items_N: The items that are judged.
    """
    before_N = _log_before(tasks, heads, name, states, items_N)
    return _head(heads, name).predict(states[name], items_N, before_N)


def _log_before(
    tasks: Mapping[str, TaskConfig],
    heads: nn.ModuleDict,
    name: str,
    states: Mapping[str, Tensor],
    items: Tensor,
) -> Tensor:
    """Log-probability of the steps before a task: states [..., D] by task, items [...]."""
    logs = []
    for step in steps(tasks, name)[1:]:
        log = _head(heads, step).log_yes(states[step], items)
        logs.append(log.detach() if tasks[step].detached else log)  # it learns by its own labels alone
    return torch.stack(logs).sum(0)


def _head(heads: nn.ModuleDict, name: str) -> Head:
    head = heads[name]
    assert isinstance(head, Head)
    return head


def refuse_contradictions(
    tasks: Mapping[str, TaskConfig], targets: Sequences, behaviours: tuple[str, ...]
) -> None:
    """Refuse labels of which a step has a yes where the step before it has a no.

    Args:
        tasks: By name.
        targets: The training events that are asked for.
        behaviours: Names of the behaviours.

    Raises:
        RecipeError: Names the first step of which some event says so.
    """
    for name, task in tasks.items():
        if not isinstance(task, Response) or task.given is None:
            continue
        before = tasks[task.given]
        assert isinstance(before, Response)
        wrong = (task.labels(targets, behaviours) == 1) & (before.labels(targets, behaviours) == 0)
        if wrong.any():
            raise RecipeError(
                f"[tasks.{name}] given",
                f"a yes to {task.given!r} at each event that has one to {name!r}",
                f"{int(wrong.sum())} events with a no",
                "steps of a funnel are labels of one event; an event has one behaviour, so that two "
                "behaviours are no steps",
            )
