"""No communication: each task has an expert of its own and hears nothing of the others.

In the equation of the design: A = I, private parameters. The encoder below is still shared; what a task
does all alone is told by a recipe that has no other.
"""

from typing import Literal

from torch import Tensor, nn

from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import Experts


class Config(ExpertsConfig):
    """Options of private states: those of its experts."""

    kind: Literal["none"] = "none"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(dimensions.width, len(dimensions.tasks), self.hidden(dimensions.width))


class Communication(nn.Module):
    """S_k = hidden + f_k(hidden)."""

    def __init__(self, width: int, num_tasks: int, inner: int) -> None:
        super().__init__()
        self.experts = Experts(num_tasks, 1, width, inner)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return hidden_BLD.unsqueeze(-2) + self.experts.first(hidden_BLD)
