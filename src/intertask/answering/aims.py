"""What a request asks for: one task that ranks items, or an objective that mixes several."""

from collections.abc import Mapping
from numbers import Real

from intertask.answering.objective import Objective
from intertask.errors import RequestError
from intertask.model import Model
from intertask.options import arguments
from intertask.recipe import Recipe

LEAST, MOST = 1e-6, 1e6  # of a weight: sums of log-probabilities stay exact and finite in single precision


def aim(recipe: Recipe, behaviour: object, task: object, objective: object) -> str | Objective:
    """The task, or the objective.

    Raises:
        RequestError: Two of them are given, or there is no such task.
    """
    if objective is None:
        return asked_task(recipe, behaviour, task)
    if behaviour is not None or task is not None:
        raise RequestError("recommend", "an objective, or a task or behaviour", "both", "leave one out")
    return mix(recipe, objective)


def asked_task(recipe: Recipe, behaviour: object = None, task: object = None) -> str:
    """The task of this name, or the one that asks for this behaviour.

    Raises:
        RequestError: Both are given, or there is no such task.
    """
    tasks = {name: recipe.tasks[name] for name in recipe.tasks_that_rank()}
    if task is not None:
        if behaviour is not None:
            raise RequestError("recommend", "a task or a behaviour", "both", "leave one of them out")
        expected = f"one that ranks items: {', '.join(tasks)}"
        name = arguments.word(task, "task", expected)
        if name not in tasks:
            raise RequestError("task", expected, arguments.shown(name))
        return name
    # Whichever task asks about any behaviour answers where none is named; else the first.
    by_behaviour = {getattr(config, "behaviour", None): name for name, config in reversed(tasks.items())}
    if behaviour is None and tasks:
        return by_behaviour.get(None, next(iter(tasks)))
    known = ", ".join(str(name) for name in by_behaviour if name is not None) or "none"
    expected = f"one that a task was trained for: {known}"
    if behaviour is not None:
        behaviour = arguments.word(behaviour, "behaviour", expected)
    if behaviour is None or behaviour not in by_behaviour:
        raise RequestError("behaviour", expected, arguments.shown(behaviour), "add a task for it")
    return by_behaviour[behaviour]


def mix(recipe: Recipe, objective: object) -> Objective:
    """The objective, which must name tasks that rank or judge items, with weights that can be.

    Raises:
        RequestError: The first task or weight that cannot be; or no weight is above zero.
    """
    if not isinstance(objective, Mapping):
        raise RequestError(
            "objective", 'tasks and weights, as {"buy": 1.0, "view": 0.2}', arguments.shown(objective)
        )
    ranking = recipe.tasks_that_rank()
    known = ranking + recipe.tasks_that_judge()
    weights = {}
    for name, given in objective.items():
        if not isinstance(name, str) or name not in known:
            raise RequestError(
                "objective", f"tasks that know items: {', '.join(known)}", arguments.shown(name)
            )
        if weight := _weight(name, given):
            weights[str(name)] = weight
    if not any(weight > 0 for weight in weights.values()):
        raise RequestError("objective", "a task with a weight above zero", arguments.shown(dict(objective)))
    found = any(weights.get(name, 0) > 0 for name in ranking)
    return Objective(weights, None if found else asked_task(recipe))  # somebody has to find the candidates


def _weight(name: str, given: object) -> float:
    where = f"objective {name!r}"
    expected = f"a weight of zero, or of {LEAST:g} to {MOST:,.0f} above or below it"
    if isinstance(given, bool) or not isinstance(given, Real):
        raise RequestError(where, expected, arguments.shown(given))
    try:
        weight = float(given)
    except (OverflowError, ValueError):
        raise RequestError(where, expected, arguments.shown(given)) from None
    if weight != 0 and not LEAST <= abs(weight) <= MOST:  # refuses NaN, too
        raise RequestError(where, expected, arguments.shown(given))
    return weight


def response_task(model: Model, task: object) -> str:
    """The response task that is asked for.

    Raises:
        RequestError: There is none of this name.
    """
    known = model.config.tasks_that_judge()
    expected = f"a response task: {', '.join(known) or 'there is none'}"
    name = arguments.word(task, "task", expected)
    if name not in known:
        raise RequestError("task", expected, arguments.shown(name))
    return name


def first_ranking(model: Model) -> str:
    """The first task that ranks items.

    Raises:
        RequestError: None does.
    """
    ranking = model.config.tasks_that_rank()
    if not ranking:
        raise RequestError("tasks", "a task that ranks items", "none")
    return ranking[0]
