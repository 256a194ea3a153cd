"""GradNorm: weights are learnt so that gradients of tasks are equally long, those of slow tasks longer.

Source: Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask
Networks", ICML 2018, algorithm 1. Departure: gradients are taken at the trunk's output rather than in
its last layer's weights, so that the trunk is passed backward once. A task without a gradient there, as a
detached one, keeps its weight and takes none from the others.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.balance import AtWeights, Balance, BalanceConfig, as_they_are, task_gradients

SMALLEST = 1e-3  # a weight at zero would never be heard again


class Config(BalanceConfig):
    """Options of the normalisation.

    Args:
        learning_rate: Learning rate of the weights, by Adam.
        asymmetry: How much more weight a task gets whose loss has fallen less, alpha in the paper.
    """

    kind: Literal["gradnorm"] = "gradnorm"
    at_one_trunk: ClassVar[bool] = True
    learning_rate: float = Field(default=0.025, gt=0, le=10)
    asymmetry: float = Field(default=1.5, ge=0, le=100)

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return GradNorm(weights, self)


class GradNorm(Balance):
    """sum_k v_k L_k, where |v_k g_k| is drawn to the mean of all, times (relative loss of k)^alpha.

    The v_k have a mean of 1.
    """

    first_T: Tensor
    prior_T: Tensor

    def __init__(self, weights: Mapping[str, float], config: Config) -> None:
        super().__init__()
        self.asymmetry = config.asymmetry
        self.places = {name: place for place, name in enumerate(weights)}
        given_T = torch.tensor(list(weights.values()))
        self.register_buffer("prior_T", given_T / given_T.mean())
        self.register_buffer("first_T", torch.full_like(given_T, torch.nan))
        self.weights_T = nn.Parameter(given_T / given_T.mean())
        self.optimiser = torch.optim.Adam([self.weights_T], lr=config.learning_rate)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        weights_T = self.weights_T.detach()
        return torch.stack([weights_T[self.places[name]] * loss for name, loss in losses.items()]).sum()

    def backward(
        self, losses: Mapping[str, Tensor], trunk_BLD: Tensor, at_weights: AtWeights = as_they_are
    ) -> Tensor:
        """Gradients of the weighted sum, and a step of the weights where two tasks or more are heard."""
        places = torch.tensor([self.places[name] for name in losses], device=trunk_BLD.device)
        raw = torch.stack([loss.detach() for loss in losses.values()])
        self.first_T[places] = torch.where(self.first_T[places].isnan(), raw, self.first_T[places])
        weights_T = self.weights_T.detach()
        weighted = {name: weights_T[self.places[name]] * loss for name, loss in losses.items()}
        gradients = task_gradients(weighted, trunk_BLD)
        trunk_BLD.grad = gradients.sum(0).view_as(trunk_BLD)
        norms = gradients.norm(dim=1)
        heard = norms > 0
        if heard.sum() > 1:
            places = places[heard]
            self._learn(places, norms[heard] / weights_T[places], raw[heard])
        return torch.stack(list(weighted.values())).sum().detach()

    def _learn(self, places: Tensor, norms: Tensor, losses: Tensor) -> None:
        assert self.optimiser is not None
        self.optimiser.zero_grad()
        relative = losses / self.first_T[places]
        relative = (relative / relative.mean()) ** self.asymmetry
        # The user's weights are what equal pushes are measured in.
        prior = self.prior_T[places] / self.prior_T[places].mean()
        pushes = self.weights_T[places] * norms
        target = (pushes.detach() / prior).mean() * relative * prior
        torch.autograd.backward((pushes - target).abs().sum())
        before_T = self.weights_T.detach().clone()
        self.optimiser.step()
        with torch.no_grad():  # what they have together is theirs: those that were not heard are as they were
            learnt = self.weights_T[places].clamp(min=SMALLEST)
            self.weights_T.copy_(before_T)
            self.weights_T[places] = learnt / learnt.sum() * before_T[places].sum()
