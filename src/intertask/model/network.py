"""The model: input, encoder, communication and tasks, composed. Read this file first.

    batch -> input -> hidden_BLD -> encoder -> hidden_BLD -> communication -> states_BLTD
    (a communication that remembers reads the marks of the places beside hidden_BLD: the items of events)
          -> task k reads states[:, :, k], or one state of the whole row -> a loss in training, an answer

Item vectors are a part of it where an input or a task reads them. Knows nothing of files, splits, training
loops or metrics, nor what kind of data it reads.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from intertask.communication import Remembers
from intertask.data.seam import INPUT, Batch, Fields
from intertask.errors import RecipeError
from intertask.inputs import Embedded, Input, InputConfig
from intertask.inputs._several import Several
from intertask.model import funnel
from intertask.model.config import ModelConfig, refuse_misfits
from intertask.nn.dimensions import Dimensions
from intertask.nn.draws import drawn_apart
from intertask.nn.encoded import Encoded
from intertask.nn.item_table import AllItems, DetachedItems, Items
from intertask.nn.layout import Layout
from intertask.nn.pooling import pooled
from intertask.nn.rates import learn_at
from intertask.tasks import Task, TaskConfig
from intertask.tasks._places import PlaceTask, PlaceTaskConfig

# From so many items on a step that updates the rows it read alone costs less than one that updates all:
# at width 64 and 9,000 rows read 47 ms against 27 ms for 50,000 items, 540 ms for a million.
SPARSE_FROM = 100_000


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
        self.items = _items(config, dimensions)
        self.input: Input | Several = (
            self._several(config.named_inputs)
            if config.inputs
            else config.input.build(dimensions, self.items)
        )
        self._keep_rates(config)
        self.encoder = shared["encoder"] if "encoder" in shared else config.encoder.build(dimensions)
        # A detached task is no party to the exchange: it reads what the encoder says, as it is.
        self.attached = list(config.exchange or config.attached())
        parties = replace(dimensions, tasks=tuple(self.attached))
        self.communication = (
            shared["communication"] if "communication" in shared else config.communication.build(parties)
        )
        among = replace(dimensions, tasks=tuple(config.attached()))
        self.tasks = nn.ModuleDict()
        for name, task in config.tasks.items():
            if task.detached:
                with drawn_apart(name):
                    self.tasks[name] = task.build(name, dimensions, self._items_of(task))
            else:
                self.tasks[name] = task.build(name, among, self._items_of(task))
        self._keep_rates_above(config, shared)

    def _several(self, inputs: Mapping[str, InputConfig]) -> Several:
        """Each input drawn by its own name, so that one more moves no other's weights."""
        built: dict[str, Input] = {}
        for name, own in inputs.items():
            fields = {INPUT: self.dimensions.fields[name]} if name in self.dimensions.fields else {}
            with drawn_apart(f"inputs.{name}"):
                built[name] = own.build(replace(self.dimensions, fields=fields), self.items)
        with drawn_apart("segments"):
            return Several(built, self.dimensions.width)

    def _keep_rates(self, config: ModelConfig) -> None:
        """Have inputs learn at a rate of their own, if they have one; the items' vectors are not theirs."""
        items = [] if self.items is None else list(self.items.parameters())
        for name, own in config.named_inputs.items():
            own.keep_rates(self.part(name), items)

    def part(self, name: str) -> Input:
        """The input of a name."""
        part = self.input.inputs[name] if isinstance(self.input, Several) else self.input
        assert isinstance(part, Input)
        return part

    def _keep_rates_above(self, config: ModelConfig, shared: Mapping[str, nn.Module]) -> None:
        """Have encoder and heads learn at rates of their own; an encoder of another stream has that one's."""
        if config.encoder.learning_rate is not None and "encoder" not in shared:
            learn_at(self.encoder, config.encoder.learning_rate, [])
        items = [] if self.items is None else list(self.items.parameters())
        for name, own in config.tasks.items():
            if own.learning_rate is not None:
                learn_at(self.tasks[name], own.learning_rate, items)

    def _items_of(self, task: TaskConfig) -> Items | None:
        return DetachedItems(self.items) if task.detached and self.items is not None else self.items

    def trunk(self, batch: Batch) -> Encoded:
        """What the exchange reads: what input and encoder make of a batch."""
        embedded: Embedded = self.input(self._read(batch) if self.config.inputs else batch.inputs[INPUT])
        direction, layout = self.config.encoder.direction, embedded.layout
        if direction is not None:
            layout = replace(layout, causal=direction == "past")
        hidden_BLD: Tensor = self.encoder(embedded.hidden_BLD, layout)
        remembered = embedded.marks_BLD if self.config.communication.remembers else None
        return Encoded(hidden_BLD, layout, remembered)

    def _read(self, batch: Batch) -> dict[str, Fields]:
        """What each of several inputs reads; events of a log have no name of their own."""
        return {
            name: batch.inputs[name if name in batch.inputs else INPUT] for name in self.config.named_inputs
        }

    def states(self, batch: Batch) -> Tensor:
        """A state for each position and task, states_BLTD."""
        return torch.stack(list(self.by_task(self.trunk(batch)).values()), dim=-2)

    def by_task(self, encoded: Encoded) -> dict[str, Tensor]:
        """The states of each task, [B, L, D]."""
        attached_BLTD: Tensor = self.communication(*encoded.parts)
        states = dict(zip(self.attached, attached_BLTD.unbind(-2), strict=True))
        return {name: states.get(name, encoded.hidden_BLD.detach()) for name in self.config.tasks}

    def losses(self, batch: Batch, encoded: Encoded | None = None) -> dict[str, Tensor]:
        """The mean loss of each task that has a target in the batch; from the trunk's output on, if given.

        Detached tasks come last and draw numbers of their own, so that they move nothing of the others.
        """
        encoded = self.trunk(batch) if encoded is None else encoded
        states = self.by_task(encoded)
        found = {name: self.loss(name, states, batch, encoded.layout) for name in self.config.attached()}
        for name in self.config.detached():
            with drawn_apart(name, self.device):
                found[name] = self.loss(name, states, batch, encoded.layout)
        return {name: loss for name, loss in found.items() if loss is not None}

    def loss(self, name: str, states: Mapping[str, Tensor], batch: Batch, layout: Layout) -> Tensor | None:
        """The mean loss of one task, None without targets; `states` are its own and those of its funnel."""
        task, config, target = self.task(name), self.config.tasks[name], batch.target(name)
        if target is None:
            return None
        if funnel.step_before(config) is not None:
            return funnel.loss(self.config.tasks, self.tasks, name, states, target)
        if isinstance(task, PlaceTask):
            return task.loss_of_places(*self._places(config, states[name], layout), target)
        return task.loss(self._asked(config, states[name], layout), target)

    def _asked(self, config: TaskConfig, states_BLD: Tensor, layout: Layout) -> Tensor:
        """What a task's head reads: the state of each place of the last input, or one of each row."""
        if config.pooled:
            return pooled(states_BLD, layout, self.config.pooling)
        return layout.spans[-1].of(states_BLD) if layout.spans else states_BLD

    def _places(self, config: TaskConfig, states_BLD: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """The states of the places of the input that a task is asked of, and how many are real in a row."""
        if not layout.spans:
            return states_BLD, layout.real_places_B(states_BLD)
        asked = config.of if isinstance(config, PlaceTaskConfig) else None
        span = layout.spans[-1 if asked is None else list(self.config.named_inputs).index(asked)]
        return span.of(states_BLD), span.lengths_B

    def last_states(self, batch: Batch) -> Tensor:
        """The states after the last place of each row, states_BTD: after the last event of a history."""
        encoded = self.trunk(batch)
        hidden_BLD, layout = encoded.hidden_BLD, encoded.layout
        hidden_BD = pooled(hidden_BLD, layout, "last")
        if not self.config.communication.remembers:  # a place's states are its own matter
            said_BTD = self.communication(hidden_BD.unsqueeze(1)).squeeze(1)
        elif isinstance(self.communication, Remembers) and not self.training:
            last_B = layout.lengths_B
            if last_B is None:
                last_B = torch.full((len(hidden_BD),), hidden_BLD.shape[1], device=hidden_BD.device)
            said_BTD = self.communication.last(hidden_BLD, encoded.marks_BLD, last_B - 1).squeeze(1)
        else:
            said = self.communication(*encoded.parts).unbind(-2)
            said_BTD = torch.stack([pooled(one_BLD, layout, "last") for one_BLD in said], dim=1)
        states = dict(zip(self.attached, said_BTD.unbind(1), strict=True))
        return torch.stack([states.get(name, hidden_BD) for name in self.config.tasks], dim=1)

    def row_states(self, batch: Batch) -> dict[str, Tensor]:
        """What the head of each task that is asked of whole rows reads, [B, D]."""
        read = self.read_of_rows(batch)
        return {name: read[name][0] for name, config in self.config.tasks.items() if config.pooled}

    def read_of_rows(self, batch: Batch) -> dict[str, tuple[Tensor, ...]]:
        """What the head of each task of rows reads: a state of each row, or of each place, with lengths."""
        encoded = self.trunk(batch)
        states = self.by_task(encoded)
        return {
            name: (pooled(states[name], encoded.layout, self.config.pooling),)
            if config.pooled
            else self._places(config, states[name], encoded.layout)
            for name, config in self.config.tasks.items()
            if config.of_rows
        }

    def predict(self, name: str, states_NTD: Tensor, items_N: Tensor) -> Tensor:
        """A task's answer for each history, and its item where the task judges one, [N, ...]."""
        states = dict(zip(self.config.tasks, states_NTD.unbind(-2), strict=True))
        if funnel.step_before(self.config.tasks[name]) is not None:
            return funnel.predict(self.config.tasks, self.tasks, name, states, items_N)
        return self.task(name).predict(states[name], items_N)

    def settle(self) -> None:
        """Called at the end of a training: what items are described by is now what the model reads."""
        if self.items is not None and (described := self.items.settle()) is not None:
            self.dimensions = replace(self.dimensions, described=described)

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
        return next(self.parameters()).device


def _items(config: ModelConfig, dimensions: Dimensions) -> AllItems | None:
    """The vectors of the items; None where no part reads them."""
    tasks = config.tasks.values()
    inputs = config.named_inputs.values()
    if not any(own.reads_items for own in inputs) and not any(task.reads_items for task in tasks):
        return None
    rows_alone = not any(task.reads_all_items for task in tasks if not task.detached)
    sparse = rows_alone and dimensions.num_items >= SPARSE_FROM
    return config.items.build(dimensions, sparse=sparse)


def _refuse_times(config: ModelConfig, dimensions: Dimensions) -> None:
    uses = {
        f"[inputs.{name}]" if config.inputs else "[input]": own.uses_times
        for name, own in config.named_inputs.items()
    }
    for section, uses_times in (*uses.items(), ("[encoder]", config.encoder.uses_times)):
        if uses_times and not dimensions.has_times:
            raise RecipeError(
                section,
                "a log with times",
                "a log without",
                "map a time column, or turn time features off",
            )
