"""Gated slots: each task keeps a state of its own, and decides at each position whom to hear, if anyone.

All slots begin as what one expert of all tasks says: few labels learn by the many from the first step on.
Each then goes its own way as far as that pays: it remembers what was said at positions before, as long
and as much as it learns to, and has a narrow expert of its own; both begin at nothing. A task attends to
itself, to the other tasks, to some slots of no task and to nothing; what it hears passes an output gate that
starts almost closed. A gradient gate lets a task hear another's slot without pushing on it; on what all have
in common all push. An edge that does not help on held-out data is closed for good (`train/edges.py`).

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
from intertask.nn.dropout import Dropout
from intertask.nn.experts import Experts, uniform

ALMOST_CLOSED = -3.0  # the logit of an output gate of 0.05
DAMPING = 0.1  # of own experts: Adam moves few labels' weights as fast as those of many, and as far
SLOWEST = 1e-4  # rate of fading, at each event
AGO = 2  # the latest state that is remembered is that of two events ago
CHUNK = 128  # positions whose memories are products of one matrix


class Config(CommunicationConfig):
    """Options of gated slots.

    Args:
        inner: Width of the hidden layer of the expert of all tasks; four times the model's width where left
            out. Those of the slots' own are a quarter of the model's width.
        num_shared: Slots of no task, which all may hear.
        sequence: Whether a slot remembers the positions before, besides its own.
        dropout: Chance that a slot remembers nothing at a position, in training.
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
    dropout: float = Field(default=0.2, ge=0, lt=1)
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
        self.common = Experts(1, 1, width, config.inner or 4 * width, residual=True)
        dropout = config.dropout if config.sequence else None
        self.own = Slots(num_tasks, width, dropout)
        self.shared: Slots | None = None
        if config.num_shared:
            self.shared = Slots(config.num_shared, width, dropout)
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
        common_BLD = self.common.first(hidden_BLD).squeeze(-2)
        return [slots(common_BLD) for slots in (self.own, self.shared) if slots is not None]


class Slots(nn.Module):
    """Slots that begin as one state: each has a narrow expert, and a memory if a dropout for it is given."""

    def __init__(self, num_slots: int, width: int, dropout: float | None) -> None:
        super().__init__()
        self.experts = Experts(num_slots, 1, width, max(1, width // 4))
        nn.init.zeros_(self.experts.down)
        nn.init.zeros_(self.experts.down_bias)
        self.memory = None if dropout is None else Memory(width, num_slots, dropout)

    def forward(self, common_BLD: Tensor) -> Tensor:
        """A state for each slot, [B, L, K, D]."""
        slots_BLKD: Tensor = common_BLD.unsqueeze(-2) + DAMPING * self.experts.first(common_BLD)
        return slots_BLKD if self.memory is None else slots_BLKD + self.memory(common_BLD)


class Memory(nn.Module):
    """What each slot remembers of a state at the positions before: a mean that fades, in some amount.

    M_k[t] = (a_k + g_k . x[t]) * (1 - exp(-f_k)) sum_{j < t-1} exp(-f_k (t-2-j)) x[j], with a rate of fading
    f_k, amounts a_k for each dimension, and g_k for how much of it a position asks for. The mean of a user's
    past intents knows what the last one alone does not: a purchase is often of what was put in the cart some
    events ago. It is not divided by the weights that are there, so that who has done little has little to
    remember.

    What is remembered must mean the same in training and of events that come later. x[t-1] was trained on the
    event at t, so that in training it knows it by heart; of a new event it only guesses. A memory of it would
    be trusted too much, and hide what was done last, so it is left out. What is left still learns by heart
    what comes later, the more with horizon = "later": so training drops memories at random positions.

    Shapes: forward: x [B, L, D] -> [B, L, K, D].
    """

    def __init__(self, width: int, num_slots: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.rate = nn.Parameter(torch.full((num_slots,), -1.5))  # a fifth is forgotten at each event
        self.amount = nn.Parameter(torch.zeros(num_slots, width))
        self.asked = nn.Parameter(torch.zeros(num_slots, width))

    def forward(self, x_BLD: Tensor) -> Tensor:
        """What is remembered, [B, L, K, D]."""
        # Never quite without fading: of slower rates single precision does not know the gradient.
        rate_K1 = (SLOWEST + functional.softplus(self.rate)).unsqueeze(-1)
        past_BLD = functional.pad(x_BLD, (0, 0, AGO, 0))[:, : x_BLD.shape[1]]
        mean_BLKD = -torch.expm1(-rate_K1) * _fading_sums(past_BLD, rate_K1)
        asked_BLK = x_BLD @ self.asked.T
        kept_BLK1 = self.dropout(torch.ones_like(asked_BLK)).unsqueeze(-1)
        remembered_BLKD: Tensor = kept_BLK1 * (self.amount + asked_BLK.unsqueeze(-1)) * mean_BLKD
        return remembered_BLKD


def _fading_sums(x_BLD: Tensor, rate_K1: Tensor) -> Tensor:
    """Sums until each position of what fades at each step by exp(-rate), [B, L, K, D]."""
    sums, before_BKD = [], None
    for chunk_BND in torch.split(x_BLD, CHUNK, 1):
        steps_N = torch.arange(chunk_BND.shape[1], device=x_BLD.device)
        ago_NN = steps_N.unsqueeze(-1) - steps_N
        faded_KNN = torch.exp(-rate_K1.unsqueeze(-1) * ago_NN.clamp(min=0)) * (ago_NN >= 0)
        sum_BNKD = torch.einsum("ktj,bjd->btkd", faded_KNN, chunk_BND)
        if before_BKD is not None:
            faded_NK1 = torch.exp(-rate_K1 * (steps_N + 1)).T.unsqueeze(-1)
            sum_BNKD = sum_BNKD + faded_NK1 * before_BKD.unsqueeze(1)
        sums.append(sum_BNKD)
        before_BKD = sum_BNKD[:, -1]
    return torch.cat(sums, 1)


def _scaled_gradient(states: Tensor, share: float) -> Tensor:
    """The same numbers, with a share of the gradient."""
    if share == 1.0:
        return states
    if share == 0.0:
        return states.detach()
    return share * states + (1 - share) * states.detach()
