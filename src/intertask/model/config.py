"""The options of a model: its parts as a recipe names them, and which parts fit each other."""

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import Field, SerializeAsAny, field_validator, model_validator
from torch import nn

from intertask.communication import CommunicationConfig
from intertask.communication.gated_slots import Config as GatedSlots
from intertask.data.seam import INPUT
from intertask.encoders import EncoderConfig
from intertask.encoders.recurrent_attention import Config as RecurrentAttention
from intertask.errors import RecipeError
from intertask.inputs import InputConfig
from intertask.inputs.events import Config as EventsInput
from intertask.items import ItemsConfig
from intertask.items.table import Config as TableOfItems
from intertask.model import funnel
from intertask.nn.pooling import Pooling
from intertask.options.config import Config, config_class, kinds, plugin, plugins
from intertask.tasks import TaskConfig
from intertask.tasks._places import PlaceTaskConfig
from intertask.tasks.next_item import Config as NextItem

Named = TypeVar("Named")


def is_reserved(name: str) -> bool:
    """Whether PyTorch's table of modules has an attribute of that name, and takes no module by it."""
    return hasattr(nn.ModuleDict(), name)


def refuse_strange(parts: dict[str, Named]) -> dict[str, Named]:
    """Parts of a model by their names, which metrics (task/metric) and weights (task.weight) are named by.

    Raises:
        ValueError: A name cannot be told from what follows it, or PyTorch's table of modules has a method of
            that name, and takes no module by it.
    """
    for name in parts:
        if not re.fullmatch(r"[\w-]+", name):
            raise ValueError(f"names of letters, digits, _ and -, not {name!r}")
        if is_reserved(name):
            raise ValueError(f"a name that PyTorch does not need for itself, as {name}_, not {name!r}")
    return parts


def with_length_of_input(given: object) -> object:
    """A section whose `max_length` is that of its input, where the input says one.

    Raises:
        ValueError: Both are said, and differ.
    """
    if not isinstance(given, Mapping):
        return given
    part = given.get("input")
    own = part.get("max_length") if isinstance(part, Mapping) else getattr(part, "max_length", None)
    if own is None or given.get("max_length") == own:
        return given
    if given.get("max_length") is not None:
        raise ValueError(f"one max_length, not {given['max_length']!r} beside {own!r} of [input]")
    return {**given, "max_length": own}


def is_pretrained(part: object) -> bool:
    """Whether the section of an input names an encoder that has been trained before."""
    return bool(part.get("pretrained") if isinstance(part, Mapping) else getattr(part, "pretrained", None))


def is_asked_of_rows(task: object) -> bool:
    """Whether the section of a task, or the task, is about rows of a table, and not about a log."""
    if isinstance(task, TaskConfig):
        return task.of_rows
    kind = task.get("kind") if isinstance(task, Mapping) else task
    return isinstance(kind, str) and kind in kinds_asked_of(rows=True)


def kinds_asked_of(rows: bool) -> list[str]:
    """The kinds of tasks that are asked of rows, or of logs."""
    classes = {kind: config_class("tasks", kind, "") for kind in kinds("tasks")}
    return [kind for kind, own in classes.items() if issubclass(own, TaskConfig) and own.of_rows == rows]


def with_encoder_of_input(given: object) -> object:
    """A section whose encoder, where it says none, fits its inputs: places of a row have no order of time."""
    if not isinstance(given, Mapping) or "encoder" in given:
        return given
    several = given.get("inputs")
    parts = list(several.values()) if several and isinstance(several, Mapping) else [given.get("input")]
    named = [part.get("kind") if isinstance(part, Mapping) else getattr(part, "kind", part) for part in parts]
    tasks = given.get("tasks")
    of_log = not tasks or (isinstance(tasks, Mapping) and not all(map(is_asked_of_rows, tasks.values())))
    if any(part in (None, "events") for part in named) or (several and of_log):
        return given
    return {**given, "encoder": {"kind": "none" if all(map(is_pretrained, parts)) else "attention"}}


class ModelConfig(Config):
    """The parts of a model, as a recipe names them.

    Args:
        width: Length of every hidden vector.
        max_length: The model reads at most this many events of a history, the last ones.
        inputs: Several inputs of one row in place of [input], as tables [inputs.NAME]; their sequences stand
            one behind the other in this order. In a recipe of a log: what is known of a user, beside the
            events, which [input] reads.
        pooling: How the states of a row become one, for tasks that are asked of whole rows: the "mean" over
            its places, the "first" or the "last" of them.
        exchange: All tasks that take part in the exchange, in order, where those of other streams do too.
    """

    width: int = Field(default=64, ge=1, le=8_192)
    max_length: int = Field(default=50, ge=1, le=65_536)
    input: Annotated[SerializeAsAny[InputConfig], plugin("inputs")] = EventsInput()
    inputs: Annotated[dict[str, SerializeAsAny[InputConfig]], plugins("inputs", may_be_empty=True)] = {}
    items: Annotated[SerializeAsAny[ItemsConfig], plugin("items")] = TableOfItems()
    encoder: Annotated[SerializeAsAny[EncoderConfig], plugin("encoders")] = RecurrentAttention()
    communication: Annotated[SerializeAsAny[CommunicationConfig], plugin("communication")] = GatedSlots()
    pooling: Pooling = "mean"
    tasks: Annotated[dict[str, SerializeAsAny[TaskConfig]], plugins("tasks")] = {"next": NextItem()}
    exchange: tuple[str, ...] | None = Field(default=None, json_schema_extra={"internal": True})

    _length = model_validator(mode="before")(with_length_of_input)
    _encoder = model_validator(mode="before")(with_encoder_of_input)
    _names = field_validator("tasks", "inputs")(refuse_strange)

    @model_validator(mode="after")
    def _input_or_inputs(self) -> "ModelConfig":
        if INPUT in self.inputs:
            raise ValueError(f"[inputs.NAME] of another name than {INPUT}, which [input] has")
        if INPUT in self.named_inputs or self.input == EventsInput():
            return self
        raise ValueError(f"[input] or [inputs.NAME], not [input] beside {', '.join(self.inputs)}")

    @property
    def named_inputs(self) -> dict[str, InputConfig]:
        """All inputs by the names that a batch has for them; events, whose places are asked, stand last.

        Events that are named nowhere stand in [input].
        """
        several = sorted(self.inputs.items(), key=lambda named: named[1].reads_items)
        follows = any(not task.of_rows for task in self.tasks.values())
        if not several or (follows and not several[-1][1].reads_items):
            return {**self.inputs, INPUT: self.input}
        return dict(several)

    @property
    def inputs_of_people(self) -> dict[str, InputConfig]:
        """Of a model of events the inputs beside them, which read what is known of a user."""
        inputs = self.named_inputs
        events = any(own.reads_items for own in inputs.values())
        return {name: own for name, own in inputs.items() if not own.reads_items} if events else {}

    def attached(self) -> list[str]:
        """The tasks of its own that take part in the exchange."""
        return [name for name, task in self.tasks.items() if not task.detached]

    def detached(self) -> list[str]:
        """The tasks of its own that only read what the encoder says."""
        return [name for name, task in self.tasks.items() if task.detached]

    def tasks_that_rank(self) -> list[str]:
        """The names of the tasks that rank items, in the recipe's order."""
        return [name for name, task in self.tasks.items() if task.answer.ranks]

    def tasks_that_judge(self) -> list[str]:
        """The names of the tasks that answer about one given item, in the recipe's order."""
        return [name for name, task in self.tasks.items() if task.judges]


def refuse_misfits(config: ModelConfig) -> None:
    """Parts that do not fit each other, whatever the data are.

    Raises:
        RecipeError: As it says.
    """
    for section, divided in (("encoder", config.encoder), ("communication", config.communication)):
        heads = getattr(divided, "num_heads", 1)
        if config.width % heads:
            raise RecipeError(
                f"[{section}] num_heads",
                f"a divisor of width = {config.width}",
                str(heads),
                "change one of the two",
            )
    for name in config.tasks:
        funnel.steps(config.tasks, name)
    missing = [name for name in config.attached() if name not in (config.exchange or config.tasks)]
    if missing:
        raise RecipeError("exchange", "all tasks that are not detached", f"none named {missing[0]!r}")
    if not config.attached():
        raise RecipeError("[tasks]", "a task that is not detached", "none", "nothing would train the encoder")
    for name, task in config.tasks.items():
        if isinstance(task, PlaceTaskConfig) and task.of not in (None, *config.inputs):
            known = ", ".join(config.inputs) or "none, where there is one [input]"
            raise RecipeError(f"[tasks.{name}] of", f"one of [inputs.NAME]: {known}", repr(task.of))
        if task.needs_causal and not config.encoder.causal:
            raise RecipeError(
                f"[tasks.{name}]", "a causal encoder", f"{config.encoder.kind!r}, which looks ahead"
            )
