"""Fast adaptive multitask optimisation: all losses should fall by the same share.

Source: Liu et al., "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023, algorithm 1. The losses of
the batch are looked at once more after the update, without gradients.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.balance import Balance, BalanceConfig

SMALLEST = 1e-8


class Config(BalanceConfig):
    """Options of the adaptation.

    Args:
        learning_rate: Learning rate of the logits of the weights, by Adam.
        decay: Weight decay of the logits, towards equal weights.
    """

    kind: Literal["famo"] = "famo"
    learning_rate: float = Field(default=0.025, gt=0, le=10)
    decay: float = Field(default=0.01, ge=0, le=10)

    def build(self, weights: Mapping[str, float], constant_losses: Mapping[str, float]) -> Balance:
        """The balance."""
        return Famo(weights, constant_losses, self)


class Famo(Balance):
    """sum_k z_k log L_k / c with z = softmax(logits) and c = sum_k z_k / L_k.

    A task without target in a batch counts in c with its last loss, or the others would rise.
    """

    looks_again: ClassVar[bool] = True
    last_T: Tensor

    def __init__(
        self, weights: Mapping[str, float], constant_losses: Mapping[str, float], config: Config
    ) -> None:
        super().__init__()
        self.places = {name: place for place, name in enumerate(weights)}
        self.logits_T = nn.Parameter(torch.tensor(list(weights.values())).log())
        self.optimiser = torch.optim.Adam([self.logits_T], lr=config.learning_rate, weight_decay=config.decay)
        constant = torch.tensor([constant_losses[name] for name in weights])
        self.register_buffer("last_T", constant.clamp(min=SMALLEST))

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """A sum whose gradient is that of the logarithms, and whose value that of the losses."""
        self._remember(losses)
        shares_T = self.logits_T.detach().softmax(0)
        scale = (shares_T / self.last_T).sum()
        return torch.stack(
            [
                shares_T[place] * loss / (self.last_T[place] * scale)
                for loss, place in ((loss, self.places[name]) for name, loss in losses.items())
            ]
        ).sum()

    def after_step(self, losses: Mapping[str, Tensor]) -> None:
        """A step of the logits, against the task that fell least."""
        assert self.optimiser is not None
        fallen_T = torch.zeros_like(self.last_T)
        for name, loss in losses.items():
            place = self.places[name]
            fallen_T[place] = self.last_T[place].log() - loss.detach().clamp(min=SMALLEST).log()
        with torch.enable_grad():
            (self.logits_T.grad,) = torch.autograd.grad(self.logits_T.softmax(0), self.logits_T, fallen_T)
        self.optimiser.step()

    def _remember(self, losses: Mapping[str, Tensor]) -> None:
        for name, loss in losses.items():
            self.last_T[self.places[name]] = loss.detach().clamp(min=SMALLEST)
