"""Adaptive information transfer: each task of a funnel reads the one before it.

Source: Xi et al., "Modeling the Sequential Dependence among Audience Multi-step Conversions with
Multi-task Learning in Targeted Display Advertising", KDD 2021, equations 3 to 9. In the equation of the
design: a mask below the diagonal, in the order in which the recipe names the tasks. Departure: the
paper's penalty on a step that is likelier than the one before it is not here; `given` of a response does it.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from intertask.communication import Heard
from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import uniform


class Config(ExpertsConfig):
    """Options of the transfer: those of its experts."""

    kind: Literal["aitm"] = "aitm"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """z_k = sum over u in {q_k, g(z_{k-1})} of softmax(h1(u) . h2(u) / sqrt(D)) h3(u); z_1 = q_1.

    With residual experts h3 adds to what it reads, too.
    """

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.residual = config.residual
        self.towers = config.experts(num_tasks, 1, width)
        self.transfers = nn.ModuleList(nn.Linear(width, width) for _ in range(num_tasks - 1))
        # h1, h2 and h3 of each transfer, side by side.
        self.maps = nn.ParameterList(uniform(3, width, width, fan_in=width) for _ in range(num_tasks - 1))

    further: tuple[str, ...] = ()

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self.exchange(hidden_BLD).states_BLTD

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and how much of each is the step's own and how much comes from the one before."""
        own_BLTD = self.towers.first(hidden_BLD)
        states = [own_BLTD[..., 0, :]]
        shares_BLTT = torch.zeros(*own_BLTD.shape[:-1], own_BLTD.shape[-2], device=own_BLTD.device)
        shares_BLTT[..., 0, 0] = 1.0
        for place, (transfer, maps) in enumerate(zip(self.transfers, self.maps, strict=True), 1):
            heard_BL2D = torch.stack([own_BLTD[..., place, :], transfer(states[-1]).relu()], -2)
            key, query, value = torch.einsum("blud,mde->mblue", heard_BL2D, maps)
            value = value + heard_BL2D if self.residual else value
            shares_BL2 = ((key * query).sum(-1) / hidden_BLD.shape[-1] ** 0.5).softmax(-1)
            shares_BLTT[..., place, [place, place - 1]] = shares_BL2.detach()
            states.append(torch.einsum("blu,blud->bld", shares_BL2, value))
        return Heard(torch.stack(states, -2), shares_BLTT, torch.ones_like(shares_BLTT[..., 0]))
