"""No communication: each task has an expert of its own and reads nothing of the others.

In the equation of the design: A = I, private parameters. The encoder below is still shared; to
train a task all alone, use a recipe without the others.
"""

from typing import Literal

from torch import Tensor, nn

from intertask.communication._experts import ExpertsConfig
from intertask.nn.dimensions import Dimensions


class Config(ExpertsConfig):
    """Options of private states: those of its experts."""

    kind: Literal["none"] = "none"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(self, dimensions.width, len(dimensions.tasks))


class Communication(nn.Module):
    """S_k = f_k(hidden)."""

    def __init__(self, config: Config, width: int, num_tasks: int) -> None:
        super().__init__()
        self.experts = config.experts(num_tasks, 1, width)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return self.experts.first(hidden_BLD)
