"""Levels of own and shared experts under gates, which PLE and STEM share."""

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.communication._experts import ExpertsConfig
from intertask.nn.experts import Experts, gated, uniform


class ExtractionConfig(ExpertsConfig):
    """Options of own and shared experts.

    Args:
        num_levels: Levels, one on top of the other.
        num_own: Experts of each task.
        num_shared: Experts of all.
    """

    num_levels: int = Field(default=1, ge=1)
    num_own: int = Field(default=1, ge=1)
    num_shared: int = Field(default=1, ge=1)


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
        self.num_tasks = num_tasks
        self.levels = nn.ModuleList(
            Level(config, width, num_tasks, foreign=foreign, last=level == config.num_levels - 1)
            for level in range(config.num_levels)
        )

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        states_BLTD = hidden_BLD.unsqueeze(-2).expand(-1, -1, self.num_tasks, -1)
        shared_BLD = hidden_BLD
        for level in self.levels:
            states_BLTD, shared_BLD = level(states_BLTD, shared_BLD)
        return states_BLTD


class Level(nn.Module):
    """One level of experts and gates."""

    def __init__(
        self, config: ExtractionConfig, width: int, num_tasks: int, *, foreign: bool, last: bool
    ) -> None:
        super().__init__()
        own, shared, inner = config.num_own, config.num_shared, config.hidden(width)
        self.own = Experts(num_tasks, own, width, inner)
        self.shared = Experts(1, shared, width, inner)
        heard = (num_tasks, own) if foreign else (own,)
        self.own_gate = uniform(num_tasks, *heard, width, fan_in=width)
        self.shared_gate = uniform(num_tasks, shared, width, fan_in=width)
        self.foreign = foreign
        self.upward_own = None if last else uniform(num_tasks, own, width, fan_in=width)
        self.upward_shared = None if last else uniform(shared, width, fan_in=width)

    def forward(self, states_BLTD: Tensor, shared_BLD: Tensor) -> tuple[Tensor, Tensor]:
        """The states after this level; the shared one stays as it was on the last."""
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
        states_BLTD = gated(torch.cat([of_own, of_shared], -1), torch.cat([heard, everyone], -2))
        if self.upward_own is not None:
            logits_own = torch.einsum("bld,ted->blte", shared_BLD, self.upward_own).flatten(-2)
            logits_shared = torch.einsum("bld,sd->bls", shared_BLD, self.upward_shared)
            logits = torch.cat([logits_own, logits_shared], -1).unsqueeze(-2)
            said = torch.cat([own_BLTED.flatten(-3, -2), shared_BLSD], -2)
            shared_BLD = gated(logits, said).squeeze(-2)
        return states_BLTD, shared_BLD


def _others_detached(own_BLTED: Tensor) -> Tensor:
    """[B, L, T, N, E, D]: what task t hears of task n; a gradient flows where they are one."""
    num_tasks = own_BLTED.shape[2]
    same = torch.eye(num_tasks, dtype=torch.bool, device=own_BLTED.device)[:, :, None, None]
    own = own_BLTED.unsqueeze(2)
    return torch.where(same, own, own.detach())
