"""Gated slots: each task keeps a state of its own, and decides at each position whom to hear, if anyone.

All slots begin as what one expert of all tasks says: few labels learn by the many from the first step on.
Each then goes its own way as far as that pays, by a narrow expert and by what it keeps of the sequence, both
of which begin at nothing. A task attends to itself, to the other tasks, to some slots of no task and to
nothing; what it hears passes an output gate that starts almost closed. A gradient gate lets a task hear
another's slot without pushing on it; on what all have in common all push. An edge that does not help on
held-out data is closed for good (`train/edges.py`).

In the equation of the design: rho = 1, A a masked softmax times the output gate, G between 0 and 1 on
the tasks' slots and 1 on the shared ones.
"""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from intertask.communication import CommunicationConfig, Heard
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import Experts, uniform

ALMOST_CLOSED = -3.0  # the logit of an output gate of 0.05
BOUND = 5.0  # of the logarithm of how much a position concerns a slot


class Config(CommunicationConfig):
    """Options of gated slots.

    Args:
        inner: Width of the hidden layer of the expert of all tasks; the model's width where left out. Those
            of the slots' own are a quarter of it wide.
        num_shared: Slots of no task, which all may hear.
        sequence: Whether a slot reads the sequence before it, besides its own position.
        nothing: Whether a task may hear nothing.
        output_gate: Whether what is heard passes a gate that starts almost closed.
        gradient: How much of its gradient a task passes on to the tasks' slots that it reads, 0 to 1.
        close_edges: Whether edges that do not help are closed.
    """

    kind: Literal["gated_slots"] = "gated_slots"
    position_wise: ClassVar[bool] = False
    inner: int | None = Field(default=None, ge=1)
    num_shared: int = Field(default=2, ge=0)
    sequence: bool = True
    nothing: bool = True
    output_gate: bool = True
    gradient: float = Field(default=0.0, ge=0, le=1)
    close_edges: bool = True

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """S'_k = S_k + W_o g_k sum_n A[k, n] S_n over {self, tasks, shared}, where A may fall on nothing.

    Slots are normed before they are read; g_k is one number for each position. One head with a matrix for
    queries and one behind the sum says all that four matrices would say, in half of the products.
    """

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.config = config
        self.num_tasks = num_tasks
        self.further = tuple(f"shared {number + 1}" for number in range(config.num_shared))
        self.further += ("nothing",) if config.nothing else ()
        num_slots = num_tasks + config.num_shared
        inner = config.inner or width
        self.common = Experts(1, 1, width, inner, residual=True)
        self.own = _own_experts(num_tasks, width, inner)
        self.shared = _own_experts(config.num_shared, width, inner) if config.num_shared else None
        self.reader = SequenceReader(width, num_tasks, config.num_shared) if config.sequence else None
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.nothing = uniform(width, fan_in=width) if config.nothing else None
        self.project_out = nn.Linear(width, width, bias=False)  # a bias would pass the gate by
        self.gate = nn.Linear(width, 1) if config.output_gate else None
        if self.gate is not None:
            nn.init.constant_(self.gate.bias, ALMOST_CLOSED)
        # Open edges, from the reader to what it reads: a weight without gradient, so that it is kept.
        self.open_TS = nn.Parameter(torch.ones(num_tasks, num_slots), requires_grad=False)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self._exchange(hidden_BLD)[0]

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and whom each task heard."""
        return Heard(*self._exchange(hidden_BLD))

    def _exchange(self, hidden_BLD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own_BLTD, *shared = self._slots(hidden_BLD)
        normed_BLTD = self.norm(own_BLTD)
        heard = [_scaled_gradient(normed_BLTD, self.config.gradient), *map(self.norm, shared)]
        read_BLSD = torch.cat(heard, -2)
        asked_BLTD = self.query(normed_BLTD)
        logits_BLTS = torch.einsum("bltd,blsd->blts", asked_BLTD, read_BLSD)
        if self.nothing is not None:
            logits_BLTS = torch.cat([logits_BLTS, (asked_BLTD @ self.nothing).unsqueeze(-1)], -1)
        shares_BLTS = (logits_BLTS * hidden_BLD.shape[-1] ** -0.5 + self._closed()).softmax(-1)
        gates_BLT = torch.ones_like(shares_BLTS[..., 0])
        if self.gate is not None:
            gates_BLT = torch.sigmoid(self.gate(normed_BLTD)).squeeze(-1)
        let_in = gates_BLT.unsqueeze(-1) * shares_BLTS[..., : read_BLSD.shape[-2]]
        change_BLTD = self.project_out(torch.einsum("blts,blsd->bltd", let_in, read_BLSD))
        return own_BLTD + change_BLTD, shares_BLTS, gates_BLT

    def _closed(self) -> Tensor:
        """What is added to logits, minus infinity at closed edges; to itself and to nothing there is none."""
        closed_TS = torch.zeros_like(self.open_TS).masked_fill(self.open_TS < 0.5, float("-inf"))
        closed_TS.fill_diagonal_(0.0)
        return functional.pad(closed_TS, (0, 1)) if self.nothing is not None else closed_TS

    def _slots(self, hidden_BLD: Tensor) -> list[Tensor]:
        """The slots of the tasks, and the shared ones: one state, changed by each for itself."""
        hidden_BLD = self.common.first(hidden_BLD).squeeze(-2)
        said = [experts.first(hidden_BLD) for experts in (self.own, self.shared) if experts is not None]
        if self.reader is None:
            return said
        read = self.reader(hidden_BLD).split([slots.shape[-2] for slots in said], -2)
        return [own + more for own, more in zip(said, read, strict=True)]


def _own_experts(num_slots: int, width: int, inner: int) -> Experts:
    """A narrow expert for each slot, which changes nothing at first."""
    experts = Experts(num_slots, 1, width, max(1, inner // 4), residual=True)
    nn.init.zeros_(experts.down)
    nn.init.zeros_(experts.down_bias)
    return experts


class SequenceReader(nn.Module):
    """What each slot keeps of the positions until now: a mean, weighted by how much each concerns the slot.

    The weights do not depend on who asks, so that running sums do; queries of each position's own cost more
    than all of the exchange.
    """

    def __init__(self, width: int, num_tasks: int, num_shared: int) -> None:
        super().__init__()
        narrow = max(1, width // 4)
        self.concern_tasks = uniform(num_tasks, width, fan_in=width)
        self.concern_shared = uniform(num_shared, width, fan_in=width) if num_shared else None
        self.value = nn.Linear(width, narrow)
        self.out_tasks = nn.Parameter(torch.zeros(num_tasks, narrow, width))
        self.out_shared = nn.Parameter(torch.zeros(num_shared, narrow, width)) if num_shared else None

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """What each slot read, [B, L, T + S, D]."""
        concern_SD = _together(self.concern_tasks, self.concern_shared)
        # Bounded, since no maximum may be taken away: it would be the future's.
        weight_BLS = (BOUND * torch.tanh(hidden_BLD @ concern_SD.T / BOUND)).exp()
        sum_BLSN = (weight_BLS.unsqueeze(-1) * self.value(hidden_BLD).unsqueeze(-2)).cumsum(1)
        read_BLSN = sum_BLSN / weight_BLS.cumsum(1).unsqueeze(-1)
        return torch.einsum("blsn,snd->blsd", read_BLSN, _together(self.out_tasks, self.out_shared))


def _together(of_tasks: Tensor, of_shared: Tensor | None) -> Tensor:
    return of_tasks if of_shared is None else torch.cat([of_tasks, of_shared])


def _scaled_gradient(states: Tensor, share: float) -> Tensor:
    """The same numbers, with a share of the gradient."""
    if share == 1.0:
        return states
    if share == 0.0:
        return states.detach()
    return share * states + (1 - share) * states.detach()
