"""Levels of own and shared experts under gates, which PLE and STEM share."""

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication import Heard
from intertask.communication._experts import ExpertsConfig
from intertask.nn.experts import gated, uniform


class ExtractionConfig(ExpertsConfig):
    """Options of own and shared experts.

    Args:
        num_levels: Levels, one on top of the other.
        num_own: Number of experts of each task.
        num_shared: Number of experts that all tasks share.
    """

    num_levels: int = Field(default=1, ge=1, le=16)
    num_own: int = Field(default=1, ge=1, le=256)
    num_shared: int = Field(default=1, ge=1, le=256)


class Extraction(nn.Module):
    """Levels; each has a state for every task, and but for the last one for the shared experts.

    Args:
        config: Options.
        width: Of a state.
        num_tasks: Tasks.
        foreign: Whether a task reads the experts of the others too, without pushing on them.
    """

    def __init__(self, config: ExtractionConfig, width: int, num_tasks: int, *, foreign: bool) -> None:
        super().__init__()
        self.num_tasks, self.num_shared, self.foreign = num_tasks, config.num_shared, foreign
        self.levels = nn.ModuleList(
            Level(config, width, num_tasks, foreign=foreign, last=level == config.num_levels - 1)
            for level in range(config.num_levels)
        )

    further: tuple[str, ...] = ("shared",)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self._levels(hidden_BLD)[0]

    def exchange(self, hidden_BLD: Tensor) -> Heard:
        """The states, and whose experts each task's gate of the last level lets through."""
        states_BLTD, shares_BLTN = self._levels(hidden_BLD)
        own, shared = shares_BLTN[..., : -self.num_shared], shares_BLTN[..., -self.num_shared :]
        if self.foreign:
            of_tasks_BLTT = own.reshape(*own.shape[:-1], self.num_tasks, -1).sum(-1)
        else:
            of_tasks_BLTT = torch.diag_embed(own.sum(-1))
        shares_BLTS = torch.cat([of_tasks_BLTT, shared.sum(-1, keepdim=True)], -1)
        return Heard(states_BLTD, shares_BLTS, torch.ones_like(shares_BLTS[..., 0]))

    def _levels(self, hidden_BLD: Tensor) -> tuple[Tensor, Tensor]:
        states_BLTD = hidden_BLD.unsqueeze(-2).expand(-1, -1, self.num_tasks, -1)
        shared_BLD = hidden_BLD
        for level in self.levels:
            states_BLTD, shared_BLD, shares_BLTN = level(states_BLTD, shared_BLD)
        return states_BLTD, shares_BLTN


class Level(nn.Module):
    """One level of experts and gates."""

    def __init__(
        self, config: ExtractionConfig, width: int, num_tasks: int, *, foreign: bool, last: bool
    ) -> None:
        super().__init__()
        own, shared = config.num_own, config.num_shared
        self.own = config.experts(num_tasks, own, width)
        self.shared = config.experts(1, shared, width)
        heard = (num_tasks, own) if foreign else (own,)
        self.own_gate = uniform(num_tasks, *heard, width, fan_in=width)
        self.shared_gate = uniform(num_tasks, shared, width, fan_in=width)
        self.foreign = foreign
        self.upward_own = None if last else uniform(num_tasks, own, width, fan_in=width)
        self.upward_shared = None if last else uniform(shared, width, fan_in=width)

    def forward(self, states_BLTD: Tensor, shared_BLD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The states after this level, the shared one as it was on the last; and the experts' shares."""
        own_BLTED = self.own(states_BLTD)
        shared_BLSD = self.shared(shared_BLD.unsqueeze(-2)).squeeze(-3)
        of_shared = torch.einsum("bltd,tsd->blts", states_BLTD, self.shared_gate)
        if self.foreign:
            of_own = torch.einsum("bltd,tned->bltne", states_BLTD, self.own_gate).flatten(-2)
            heard = _others_detached(own_BLTED).flatten(-3, -2)  # [B, L, T, N * E, D]
        else:
            of_own = torch.einsum("bltd,ted->blte", states_BLTD, self.own_gate)
            heard = own_BLTED
        everyone = shared_BLSD.unsqueeze(-3).expand(*heard.shape[:3], -1, -1)
        shares_BLTN = torch.cat([of_own, of_shared], -1).softmax(-1)
        states_BLTD = gated(shares_BLTN, torch.cat([heard, everyone], -2))
        if self.upward_own is not None:
            logits_own = torch.einsum("bld,ted->blte", shared_BLD, self.upward_own).flatten(-2)
            logits_shared = torch.einsum("bld,sd->bls", shared_BLD, self.upward_shared)
            upward = torch.cat([logits_own, logits_shared], -1).softmax(-1).unsqueeze(-2)
            said = torch.cat([own_BLTED.flatten(-3, -2), shared_BLSD], -2)
            shared_BLD = gated(upward, said).squeeze(-2)
        return states_BLTD, shared_BLD, shares_BLTN


def _others_detached(own_BLTED: Tensor) -> Tensor:
    """[B, L, T, N, E, D]: what task t hears of task n; a gradient flows where they are one."""
    num_tasks = own_BLTED.shape[2]
    same = torch.eye(num_tasks, dtype=torch.bool, device=own_BLTED.device)[:, :, None, None]
    own = own_BLTED.unsqueeze(2)
    return torch.where(same, own, own.detach())
