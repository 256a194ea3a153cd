"""Each task its own epoch: a head that epochs of other tasks have spoilt is set back to its own best one.

One metric chooses the epoch for all. By then a head may have learnt its training labels by heart. Set back to
what it was after its own best epoch it answers nearly as well as it did then, although the trunk below it has
learnt on; what is better on validation is kept, however little better it is. To train such a head anew on the
trunk is worse: states at training rows know by heart what followed (docs/lab/notebook.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from intertask.data.seam import Frozen
from intertask.model import Model, funnel
from intertask.tasks import TaskConfig
from intertask.train.courses import Course, Verdict


def own_weights(whole: nn.Module, models: Sequence[Model]) -> dict[str, list[str]]:
    """The weights of the heads that do not rank items, by task: their names in the whole.

    Args:
        whole: All models, each weight once.
        models: Of the streams.
    """
    names = {id(weight): name for name, weight in whole.named_parameters()}
    found = {}
    for model in models:
        shared = set() if model.items is None else {id(weight) for weight in model.items.parameters()}
        for task in _judged(model.config.tasks):
            weights = [weight for weight in model.task(task).parameters() if weight.requires_grad]
            found[task] = [names[id(weight)] for weight in weights if id(weight) not in shared]
    return found


def _judged(tasks: Mapping[str, TaskConfig]) -> Iterator[str]:
    """The tasks that do not rank items, each step of a funnel after the one before it."""
    return (name for name in funnel.in_order(tasks) if not tasks[name].answer.ranks)


def set_back(
    whole: nn.Module,
    models: Sequence[Model],
    examine: Callable[[Model], Frozen] | None,
    courses: Mapping[str, Course],
    heads: Mapping[str, Tensor],
) -> list[Verdict]:
    """Set back the heads that answer better so; returns what came of their tasks, and of spoilt ones.

    Args:
        whole: All models, each weight once; in evaluation mode.
        models: Of the streams.
        examine: Metrics of a model; without it nothing is known.
        courses: Of the tasks, by name.
        heads: Weights of heads after their own best epochs, by name in the whole; none of heads that stay.
    """
    found, owned = [], own_weights(whole, models)
    for model in models:
        tasks = [task for task in _judged(model.config.tasks) if task in courses]
        if examine is None or not tasks:
            continue
        frozen = examine(model)
        for task in tasks:
            config = model.config.tasks[task]
            verdict = Verdict(task, config.answer.reported, courses[task], base=frozen.base(task))
            if verdict.course.behind:
                earlier = {name: heads[name] for name in owned[task] if name in heads}
                verdict = verdict.after(_better(whole, frozen, task, earlier) if earlier else None)
            if verdict.worth_a_word or verdict.own_head is not None:
                found.append(verdict)
    return found


def _better(whole: nn.Module, frozen: Frozen, task: str, earlier: Mapping[str, Tensor]) -> float | None:
    """Set a head back; returns its metric, or None where the head as it is has a better one."""
    as_it_is = {name: whole.get_parameter(name).detach().clone() for name in earlier}
    before = frozen.metric(task)
    fill(whole, earlier)
    after = frozen.metric(task)
    if before is None or after is None or not after > before:
        fill(whole, as_it_is)
        return None
    return after


def fill(whole: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Put numbers into some weights, by their names."""
    with torch.no_grad():
        for name, value in values.items():
            whole.get_parameter(name).copy_(value)
