"""intertask: one model, many tasks, one stream of behaviour.

Names are loaded when they are used, so that `intertask --help` never waits for torch.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intertask.data.catalogue import Catalogue
    from intertask.data.event_log import EventLog
    from intertask.data.people import People
    from intertask.data.rows import Rows
    from intertask.doors import load
    from intertask.errors import IntertaskError
    from intertask.evaluate.results import Evaluation
    from intertask.predictor import Predictor
    from intertask.recipe import Recipe
    from intertask.recommender import Recommender
    from intertask.verbs import compare, train_recipe, transfer

__all__ = [
    "Catalogue",
    "Evaluation",
    "EventLog",
    "IntertaskError",
    "People",
    "Predictor",
    "Recipe",
    "Recommender",
    "Rows",
    "compare",
    "load",
    "train_recipe",
    "transfer",
]

_HOMES = {
    "Catalogue": "data.catalogue",
    "EventLog": "data.event_log",
    "IntertaskError": "errors",
    "Recipe": "recipe",
    "Recommender": "recommender",
    "Predictor": "predictor",
    "People": "data.people",
    "Rows": "data.rows",
    "load": "doors",
    "Evaluation": "evaluate.results",
    "compare": "verbs",
    "train_recipe": "verbs",
    "transfer": "verbs",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'intertask' has no attribute {name!r}")
    return getattr(importlib.import_module(f"intertask.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
