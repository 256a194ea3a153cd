"""Gated slots: each task keeps a state of its own and decides at each position which others to read.

All slots begin as what one expert of all tasks says: few labels learn by the many from the first step on.
Each then goes its own way as far as that pays: a task's remembers the items of the events until now, those
that matter to it, as long and as much as it learns to, and all have narrow experts of their own; both begin
at nothing. A task attends to itself, to the other tasks, to some slots of no task and to nothing; what it
hears passes an output gate that starts almost closed. A gradient gate lets a task hear another's slot
without pushing on it; on what all have in common all push. An edge that does not help on held-out data is
closed for good (`train/edges.py`).

In the equation of the design: rho = 1, A a masked softmax times the output gate, G between 0 and 1 on
the tasks' slots and 1 on the shared ones.
"""

from typing import Literal

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
CHUNK = 64  # positions whose memories are products of one matrix for each row


class Config(CommunicationConfig):
    """Options of gated slots.

    Args:
        inner: Width of the hidden layer of the shared expert; four times the model's width if left out. The
            slots' own experts have a quarter of the model's width.
        num_shared: Number of slots that belong to no task and that all tasks may read.
        sequence: A task's slot remembers the items of the events so far that matter to it.
        dropout: Share of the positions at which training drops what a slot remembers.
        nothing: A task may choose to read nothing.
        output_gate: What is read passes a gate that starts almost closed.
        gradient: Share of its gradient that a task passes on to the slots of tasks that it reads, 0 to 1.
        close_edges: After half of the epochs and at the end, stop reading slots that do not help on held-back
            users, for good.
    """

    kind: Literal["gated_slots"] = "gated_slots"
    inner: int | None = Field(default=None, ge=1, le=65_536)
    num_shared: int = Field(default=2, ge=0, le=256)
    sequence: bool = True
    dropout: float = Field(default=0.2, ge=0, lt=1)
    nothing: bool = True
    output_gate: bool = True
    gradient: float = Field(default=0.0, ge=0, le=1)
    close_edges: bool = True

    @property
    def remembers(self) -> bool:
        """Whether it reads the items of the events beside hidden_BLD."""
        return self.sequence

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
        self.own = _Slots(num_tasks, width)
        self.memory = Memory(width, num_tasks, config.dropout) if config.sequence else None
        self.shared = _Slots(config.num_shared, width) if config.num_shared else None
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.nothing = uniform(width, fan_in=width) if config.nothing else None
        self.project_out = nn.Linear(width, width, bias=False)  # a bias would pass the gate by
        self.gate = nn.Linear(width, 1) if config.output_gate else None
        if self.gate is not None:
            nn.init.constant_(self.gate.bias, ALMOST_CLOSED)
        # Open edges, from the reader to what it reads: a weight without gradient, so that it is kept.
        self.open_TS = nn.Parameter(torch.ones(num_tasks, num_slots), requires_grad=False)

    def forward(self, hidden_BLD: Tensor, items_BLD: Tensor | None = None) -> Tensor:
        """states_BLTD; the items are read where the slots remember."""
        return self._exchange(hidden_BLD, items_BLD)[0]

    def exchange(self, *read: Tensor) -> Heard:
        """The states, and whom each task heard."""
        return Heard(*self._exchange(*read))

    def last(self, hidden_BLD: Tensor, items_BLD: Tensor | None, last_B: Tensor) -> Tensor:
        """The states of one position of each row, [B, 1, T, D]: what a request asks of a whole history."""
        common_BLD = self.common.first(hidden_BLD).squeeze(-2)
        rows_B = torch.arange(len(last_B), device=last_B.device)
        common_B1D = common_BLD[rows_B, last_B].unsqueeze(1)
        remembered = None
        if self.memory is not None and items_BLD is not None:
            remembered = self.memory.last(common_BLD, items_BLD, last_B)
        return self._heard(*self._slots(common_B1D, remembered))[0]

    def _exchange(self, hidden_BLD: Tensor, items_BLD: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        common_BLD = self.common.first(hidden_BLD).squeeze(-2)
        remembered = None
        if self.memory is not None and items_BLD is not None:
            remembered = self.memory(common_BLD, items_BLD)
        return self._heard(*self._slots(common_BLD, remembered))

    def _heard(self, own_BLTD: Tensor, *shared: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The states of the slots after each task has read others, and what it read of whom."""
        normed_BLTD = self.norm(own_BLTD)
        heard = [_scaled_gradient(normed_BLTD, self.config.gradient), *map(self.norm, shared)]
        read_BLSD = torch.cat(heard, -2)
        asked_BLTD = self.query(normed_BLTD)
        logits_BLTS = torch.einsum("bltd,blsd->blts", asked_BLTD, read_BLSD)
        if self.nothing is not None:
            logits_BLTS = torch.cat([logits_BLTS, (asked_BLTD @ self.nothing).unsqueeze(-1)], -1)
        shares_BLTS = (logits_BLTS * own_BLTD.shape[-1] ** -0.5 + self._closed()).softmax(-1)
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

    def _slots(self, common_BLD: Tensor, remembered_BLTD: Tensor | None) -> list[Tensor]:
        """The slots of the tasks, and the shared ones: one state, changed by each for itself."""
        own_BLTD = self.own(common_BLD)
        if remembered_BLTD is not None:
            own_BLTD = own_BLTD + remembered_BLTD
        return [own_BLTD] if self.shared is None else [own_BLTD, self.shared(common_BLD)]


class _Slots(nn.Module):
    """Slots that begin as one state, each with a narrow expert."""

    def __init__(self, num_slots: int, width: int) -> None:
        super().__init__()
        self.experts = Experts(num_slots, 1, width, max(1, width // 4))
        nn.init.zeros_(self.experts.down)
        nn.init.zeros_(self.experts.down_bias)

    def forward(self, common_BLD: Tensor) -> Tensor:
        """A state for each slot, [B, L, K, D]."""
        states_BLKD: Tensor = common_BLD.unsqueeze(-2) + DAMPING * self.experts.first(common_BLD)
        return states_BLKD


class Memory(nn.Module):
    """What each task remembers of the items of the events until a position: a sum that fades, in some amount.

    M_k[t] = (a_k + g_k . x[t]) * sum_{j <= t} exp(-f_k (t-j)) 2 sigmoid(w_k . x[j] + b_k) v[j]: of the item
    v[j] of an event, as far as the state x[j] after it says that it matters to task k, with a rate of fading
    f_k, amounts a_k for each dimension, and g_k for how much of it a position asks for. So purchases remember
    what was put in the cart some events ago, and less what was only looked at. It is not divided by the
    weights that are there, so that who has done little has little to remember.

    What is remembered means the same in training and of events that come later, since an item's vector is
    what it is. States do not: they were trained on what comes after them, know it by heart in training and
    only guess it later, and what trusts a memory of them forgets to look at the last event itself. How much
    is remembered is still asked of states, one number for each task; training drops some memories for that.

    The gradient into item vectors goes past the trunk: balances that look at gradients there do not see it.

    Shapes: forward: x [B, L, D], v [B, L, D] -> [B, L, K, D].
    """

    def __init__(self, width: int, num_tasks: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.rate = nn.Parameter(torch.full((num_tasks,), -1.5))  # a fifth is forgotten at each event
        self.matters = nn.Linear(width, num_tasks)
        self.amount = nn.Parameter(torch.zeros(num_tasks, width))
        self.asked = nn.Parameter(torch.zeros(num_tasks, width))
        nn.init.zeros_(self.matters.weight)
        nn.init.zeros_(self.matters.bias)

    def forward(self, x_BLD: Tensor, items_BLD: Tensor) -> Tensor:
        """What is remembered, [B, L, K, D]."""
        # Never quite without fading, or the sums of a long history would have no bound.
        rate_K1 = (SLOWEST + functional.softplus(self.rate)).unsqueeze(-1)
        matter_BKL = 2 * torch.sigmoid(self.matters(x_BLD)).transpose(1, 2)
        asked_BKL = (x_BLD @ self.asked.T).transpose(1, 2)
        kept_BKL1 = self.dropout(torch.ones_like(asked_BKL)).unsqueeze(-1)
        amount_BKLD = kept_BKL1 * (self.amount.unsqueeze(1) + asked_BKL.unsqueeze(-1))
        remembered_BKLD: Tensor = amount_BKLD * _fading_sums(matter_BKL, items_BLD, rate_K1)
        return remembered_BKLD.transpose(1, 2)

    def last(self, x_BLD: Tensor, items_BLD: Tensor, last_B: Tensor) -> Tensor:
        """What is remembered at one position of each row, [B, 1, K, D]; nothing is dropped."""
        rate_K1 = (SLOWEST + functional.softplus(self.rate)).unsqueeze(-1)
        ago_BL = last_B.unsqueeze(-1) - torch.arange(x_BLD.shape[1], device=x_BLD.device)
        faded_BKL = torch.exp(-rate_K1 * ago_BL.clamp(min=0).unsqueeze(1)) * (ago_BL >= 0).unsqueeze(1)
        matter_BKL = 2 * torch.sigmoid(self.matters(x_BLD)).transpose(1, 2)
        rows_B = torch.arange(len(last_B), device=last_B.device)
        asked_BK1 = (x_BLD[rows_B, last_B] @ self.asked.T).unsqueeze(-1)
        remembered_BKD: Tensor = (self.amount + asked_BK1) * ((faded_BKL * matter_BKL) @ items_BLD)
        return remembered_BKD.unsqueeze(1)


def _fading_sums(matter_BKL: Tensor, x_BLD: Tensor, rate_K1: Tensor) -> Tensor:
    """Sums until each position of what matters and fades at each step by exp(-rate), [B, K, L, D]."""
    sums, before_BKD = [], None
    chunks = zip(torch.split(matter_BKL, CHUNK, 2), torch.split(x_BLD, CHUNK, 1), strict=True)
    for matter_BKN, x_BND in chunks:
        steps_N = torch.arange(x_BND.shape[1], device=x_BLD.device)
        ago_NN = steps_N.unsqueeze(-1) - steps_N
        faded_KNN = torch.exp(-rate_K1.unsqueeze(-1) * ago_NN.clamp(min=0)) * (ago_NN >= 0)
        shares_BKNN = faded_KNN * matter_BKN.unsqueeze(2)
        sum_BKND = (shares_BKNN.flatten(1, 2) @ x_BND).view(*shares_BKNN.shape[:3], -1)
        if before_BKD is not None:
            faded_KN1 = torch.exp(-rate_K1 * (steps_N + 1)).unsqueeze(-1)
            sum_BKND = sum_BKND + faded_KN1 * before_BKD.unsqueeze(2)
        sums.append(sum_BKND)
        before_BKD = sum_BKND[:, :, -1]
    return torch.cat(sums, 2)


def _scaled_gradient(states: Tensor, share: float) -> Tensor:
    """Identity in the forward pass; scales the gradient by `share`."""
    if share == 1.0:
        return states
    if share == 0.0:
        return states.detach()
    return share * states + (1 - share) * states.detach()
