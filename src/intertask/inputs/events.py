"""Events as vectors: item, behaviour, how many events ago, and the gap to the event before."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.data.batches import Events
from intertask.data.seam import Fields
from intertask.errors import RecipeError
from intertask.inputs import Embedded, InputConfig
from intertask.inputs import Input as AnyInput
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems
from intertask.nn.layout import Layout
from intertask.nn.time_buckets import log_bucket

NUM_GAP_BUCKETS = 32


class Config(InputConfig):
    """The parts of an event that become a vector.

    Args:
        position: "inverse": a vector for the distance to the last event of a history, so that in training a
            state knows how many events of its window follow, and never which; "forward": for the distance to
            the first; "off": none.
        behaviour: Add a vector for each behaviour; no effect in a log with one behaviour.
        reads: The behaviours whose events are read; other events become blanks in their places. All
            behaviours if left out.
        gap: Add a vector for the time since the event before, in logarithmic buckets; needs times.
        scale: Multiply an item's vector by the square root of the width (Vaswani et al., 2017; SASRec): heads
            read the same table and need short vectors, layers need numbers of about 1.
        combine: "sum": all vectors are added; "gate": item and context decide together how much of
            the context (behaviour, position, gap) is added.
        dropout: Share of the numbers of the vector that training drops.
        max_length: The last so many events of a history are read; the `max_length` of the recipe if left out.
    """

    reads_items: ClassVar[bool] = True
    kind: Literal["events"] = "events"
    position: Literal["inverse", "forward", "off"] = "inverse"
    behaviour: bool = True
    reads: tuple[str, ...] | None = None
    gap: bool = False
    scale: bool = True
    combine: Literal["sum", "gate"] = "sum"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    max_length: int | None = Field(default=None, ge=1, le=65_536)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> AnyInput:
        """The input."""
        assert items is not None
        return Input(self, dimensions, items)

    @property
    def uses_times(self) -> bool:
        """Whether it needs a log with a clock."""
        return self.gap


class Input(AnyInput):
    """Embeds a batch of events."""

    def __init__(self, config: Config, dimensions: Dimensions, items: AllItems) -> None:
        super().__init__()
        width = dimensions.width
        self.items = items
        self.scale = width**0.5 if config.scale else 1.0
        self.position = _table(dimensions.max_length, width) if config.position != "off" else None
        self.inverse = config.position == "inverse"
        behaviours = len(dimensions.behaviours)
        self.behaviour = _table(behaviours, width) if config.behaviour and behaviours > 1 else None
        self.reads_V: Tensor | None
        self.register_buffer("reads_V", _reads(config.reads, dimensions.behaviours), persistent=False)
        self.gap = _table(NUM_GAP_BUCKETS, width) if config.gap else None
        self.gate = nn.Linear(2 * width, width) if config.combine == "gate" else None
        self.dropout = Dropout(config.dropout)

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each event; what may be remembered of it is its item's."""
        assert isinstance(fields, Events)
        items_BLD = self.item_vectors(fields)
        layout = Layout(fields.times_BL, fields.query_times_BL, fields.lengths_B)
        return Embedded(self._with_context(fields, items_BLD), layout, items_BLD)

    def _with_context(self, events: Events, items_BLD: Tensor) -> Tensor:
        context_BLD = torch.zeros_like(items_BLD)
        if self.behaviour is not None:
            context_BLD = context_BLD + self.behaviour(events.behaviours_BL)
        if self.position is not None:
            steps = torch.arange(events.items_BL.shape[1], device=items_BLD.device)
            # Behind the last event the count is negative: padding, whose vector nobody reads.
            places = (events.lengths_B[:, None] - 1 - steps).clamp(min=0) if self.inverse else steps
            context_BLD = context_BLD + self.position(places)
        if self.gap is not None:
            times_BL = events.times_BL
            assert times_BL is not None
            gaps_BL = torch.diff(times_BL, dim=1, prepend=times_BL[:, :1])
            context_BLD = context_BLD + self.gap(log_bucket(gaps_BL, NUM_GAP_BUCKETS))
        if self.gate is not None:
            context_BLD = torch.sigmoid(self.gate(torch.cat([items_BLD, context_BLD], -1))) * context_BLD
        hidden_BLD: Tensor = self.dropout(items_BLD + self._as_read(context_BLD, events))
        return hidden_BLD

    def item_vectors(self, events: Events) -> Tensor:
        """Scaled; zero where a behaviour is not read."""
        return self._as_read(self.scale * self.items(events.items_BL), events)

    def _as_read(self, vectors_BLD: Tensor, events: Events) -> Tensor:
        """Nothing where the behaviour of an event is not read."""
        if self.reads_V is None:
            return vectors_BLD
        return self.reads_V[events.behaviours_BL, None] * vectors_BLD


def _reads(wanted: tuple[str, ...] | None, behaviours: tuple[str, ...]) -> Tensor | None:
    """1 for a behaviour that is read, 0 for others."""
    if wanted is None:
        return None
    for name in wanted:
        if name not in behaviours:
            raise RecipeError("[input] reads", f"some of {', '.join(behaviours)}", repr(name))
    return torch.tensor([float(name in wanted) for name in behaviours])


def _table(num_rows: int, width: int) -> nn.Embedding:
    table = nn.Embedding(num_rows, width)
    nn.init.normal_(table.weight, std=INITIAL_DEVIATION)
    return table
