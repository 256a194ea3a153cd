"""Shared bottom: every task reads the same state.

Source: Caruana, "Multitask Learning", 1997. In the equation of the design: one shared expert, A = 1.
"""

from typing import Literal

from torch import Tensor, nn

from intertask.communication import CommunicationConfig
from intertask.nn.dimensions import Dimensions


class Config(CommunicationConfig):
    """No options."""

    kind: Literal["shared"] = "shared"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(len(dimensions.tasks))


class Communication(nn.Module):
    """A view of the hidden states, copied nowhere."""

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        return hidden_BLD.unsqueeze(-2).expand(-1, -1, self.num_tasks, -1)
