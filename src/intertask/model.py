"""The model: input, encoder, communication and tasks, composed. Read this file first.

    batch -> input -> hidden_BLD -> encoder -> hidden_BLD -> communication -> states_BLTD
    (a communication that remembers reads the item vectors of the events, items_BLD, beside hidden_BLD)
          -> task k reads states[:, :, k] -> a loss in training, an answer at the last event

Knows nothing of files, splits, training loops or metrics.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import torch
from pydantic import Field, SerializeAsAny, field_validator
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from intertask import funnel
from intertask.communication import CommunicationConfig
from intertask.communication.shared import Config as Shared
from intertask.config import Config, plugin, plugins
from intertask.data.batches import Batch
from intertask.encoders import EncoderConfig
from intertask.encoders.attention import Config as Attention
from intertask.errors import RecipeError
from intertask.inputs import InputConfig
from intertask.inputs.events import Config as EventsInput
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import DetachedItems, ItemTable
from intertask.nn.timeline import Timeline
from intertask.tasks import Task, TaskConfig
from intertask.tasks.next_item import Config as NextItem
from intertask.tasks.response import Response

# From so many items on a step that updates the rows it read alone costs less than one that updates all:
# at width 64 and 9,000 rows read 47 ms against 27 ms for 50,000 items, 540 ms for a million.
SPARSE_FROM = 100_000


class ModelConfig(Config):
    """The parts of a model, as a recipe names them.

    Args:
        width: Length of every hidden vector.
        max_length: The model reads at most this many events of a history, the last ones.
        exchange: All tasks that take part in the exchange, in order, where those of other streams do too.
    """

    width: int = Field(default=64, ge=1, le=8_192)
    max_length: int = Field(default=50, ge=1, le=65_536)
    input: Annotated[SerializeAsAny[InputConfig], plugin("inputs")] = EventsInput()
    encoder: Annotated[SerializeAsAny[EncoderConfig], plugin("encoders")] = Attention()
    communication: Annotated[SerializeAsAny[CommunicationConfig], plugin("communication")] = Shared()
    tasks: Annotated[dict[str, SerializeAsAny[TaskConfig]], plugins("tasks")] = {"next": NextItem()}
    exchange: tuple[str, ...] | None = Field(default=None, json_schema_extra={"internal": True})

    @field_validator("tasks")
    @classmethod
    def _can_be_names(cls, tasks: dict[str, TaskConfig]) -> dict[str, TaskConfig]:
        return refuse_strange(tasks)

    def attached(self) -> list[str]:
        """The tasks of its own that take part in the exchange."""
        return [name for name, task in self.tasks.items() if not task.detached]

    def tasks_that_rank(self) -> list[str]:
        """The names of the tasks that rank items, in the recipe's order."""
        return [name for name, task in self.tasks.items() if task.answer.ranks]

    def tasks_that_judge(self) -> list[str]:
        """The names of the tasks that answer about one given item, in the recipe's order."""
        return [name for name, task in self.tasks.items() if task.judges]


class Model(nn.Module):
    """All parts, built for one data set.

    Args:
        config: What the parts are.
        dimensions: Sizes of recipe and data.
        shared: Parts of another model that this one uses in place of its own, by name: "encoder",
            "communication".

    Raises:
        RecipeError: Parts that do not fit each other or the data.
    """

    def __init__(
        self, config: ModelConfig, dimensions: Dimensions, shared: Mapping[str, nn.Module] | None = None
    ) -> None:
        super().__init__()
        shared = shared or {}
        refuse_misfits(config)
        _refuse_times(config, dimensions)
        self.config = config
        self.dimensions = dimensions
        rows_alone = not any(task.reads_all_items for task in config.tasks.values())
        self.items = ItemTable(
            dimensions.num_items,
            dimensions.width,
            sparse=rows_alone and dimensions.num_items >= SPARSE_FROM,
        )
        self.input = config.input.build(dimensions, self.items)
        self.encoder = shared["encoder"] if "encoder" in shared else config.encoder.build(dimensions)
        # A detached task is no party to the exchange: it reads what the encoder says, as it is.
        self.attached = list(config.exchange or config.attached())
        parties = replace(dimensions, tasks=tuple(self.attached))
        self.communication = (
            shared["communication"] if "communication" in shared else config.communication.build(parties)
        )
        self.tasks = nn.ModuleDict(
            {
                name: task.build(name, dimensions, DetachedItems(self.items) if task.detached else self.items)
                for name, task in config.tasks.items()
            }
        )

    def trunk(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the exchange reads: hidden_BLD of input and encoder, and items_BLD where it remembers them."""
        items_BLD = self.input.item_vectors(batch)
        timeline = Timeline(batch.events.times_BL, batch.query_times_BL)
        hidden_BLD: Tensor = self.encoder(self.input(batch, items_BLD), timeline)
        return (hidden_BLD, items_BLD) if self.config.communication.remembers else (hidden_BLD,)

    def states(self, batch: Batch) -> Tensor:
        """A state for each position and task, states_BLTD."""
        return torch.stack(list(self._by_task(batch).values()), dim=-2)

    def _by_task(self, batch: Batch, read: Sequence[Tensor] | None = None) -> dict[str, Tensor]:
        """The state of each task; from the trunk's output on, if given."""
        read = self.trunk(batch) if read is None else read
        attached_BLTD: Tensor = self.communication(*read)
        states = dict(zip(self.attached, attached_BLTD.unbind(-2), strict=True))
        return {name: states.get(name, read[0].detach()) for name in self.config.tasks}

    def losses(self, batch: Batch, read: Sequence[Tensor] | None = None) -> dict[str, Tensor]:
        """The mean loss of each task that has a target in the batch; from the trunk's output on, if given."""
        states = self._by_task(batch, read)
        losses = {}
        for name, config in self.config.tasks.items():
            task = self.task(name)
            if isinstance(task, Response) and funnel.step_before(config) is not None:
                assert batch.following is not None
                with torch.set_grad_enabled(torch.is_grad_enabled() and not config.detached):
                    before_BL = self._log_before(name, states, batch.following.items_BL)
                losses[name] = task.loss(states[name], batch, before_BL)
            else:
                losses[name] = task.loss(states[name], batch)
        return {name: loss for name, loss in losses.items() if loss is not None}

    def last_states(self, batch: Batch) -> Tensor:
        """The states after the last event of each history, states_BTD."""
        rows, last = torch.arange(len(batch.lengths_B), device=batch.lengths_B.device), batch.lengths_B - 1
        states = self._by_task(batch).values()
        return torch.stack([state_BLD[rows, last] for state_BLD in states], dim=1)

    def predict(self, name: str, states_NTD: Tensor, items_N: Tensor) -> Tensor:
        """A task's answer for each history, and its item where the task judges one, [N, ...]."""
        task, states = self.task(name), dict(zip(self.config.tasks, states_NTD.unbind(-2), strict=True))
        if isinstance(task, Response):
            return task.predict(states[name], items_N, self._log_before(name, states, items_N))
        return task.predict(states[name], items_N)

    def _log_before(self, name: str, states: Mapping[str, Tensor], items: Tensor) -> Tensor | None:
        """Log-probability of the steps of a funnel before a task: states [..., D] by task, items [...]."""
        logs = []
        for step in funnel.steps(self.config.tasks, name)[1:]:
            task = self.task(step)
            assert isinstance(task, Response)
            logs.append(task.log_yes(states[step], items))
        return torch.stack(logs).sum(0) if logs else None

    def task(self, name: str) -> Task:
        """One task."""
        task = self.tasks[name]
        assert isinstance(task, Task)
        return task

    def place(self, name: str) -> int:
        """Index of this task on the task axis."""
        return list(self.tasks).index(name)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.items.weight_ID.device


def blueprint(config: ModelConfig, dimensions: Dimensions) -> Model:
    """A model whose weights have names, types and shapes, and no numbers.

    Nothing is allocated for them, and no random number is drawn.

    Raises:
        RecipeError: Parts that do not fit each other or the data.
    """
    with torch.device("meta"), _Undrawn():
        return Model(config, dimensions)


_KEEPING = ("mul", "div", "add", "sub", "pow", "log", "cumsum", "float")  # of one shape, given one number


class _Undrawn(TorchFunctionMode):
    """Leaves tensors without numbers alone: to draw none PyTorch loads its compiler, for five seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  (the interface is PyTorch's)
        named = kwargs or {}
        filled = named.get("tensor", args[0] if args else None)
        if not (isinstance(filled, Tensor) and filled.is_meta):
            return (torch.empty if func in (torch.randn, torch.rand) else func)(*args, **named)
        draws = getattr(func, "__module__", "") == "torch.nn.init" or func.__name__ in ("normal_", "uniform_")
        keeps = func.__name__ in _KEEPING and all(
            not isinstance(other, Tensor) or other.numel() == 1 for other in args[1:]
        )
        return filled if draws or keeps else func(*args, **named)


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


def _refuse_times(config: ModelConfig, dimensions: Dimensions) -> None:
    for section, part in (("input", config.input), ("encoder", config.encoder)):
        if part.uses_times and not dimensions.has_times:
            raise RecipeError(
                f"[{section}]",
                "a log with times",
                "a log without",
                "map a time column, or turn time features off",
            )


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
        if task.needs_causal and not config.encoder.causal:
            raise RecipeError(
                f"[tasks.{name}]", "a causal encoder", f"{config.encoder.kind!r}, which looks ahead"
            )
