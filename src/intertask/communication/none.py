"""No communication: each task has an expert of its own and hears nothing of the others.

In the equation of the design: A = I, private parameters. The encoder below is still shared; what a task
does all alone is told by a recipe that has no other.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from intertask.communication import CommunicationConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.experts import Experts


class Config(CommunicationConfig):
    """Options of private states.

    Args:
        inner: Width of an expert's hidden layer; the model's width where left out.
    """

    kind: Literal["none"] = "none"
    inner: int | None = Field(default=None, ge=1)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Communication(dimensions.width, len(dimensions.tasks), self.inner or dimensions.width)


class Communication(nn.Module):
    """S_k = hidden + f_k(hidden)."""

    def __init__(self, width: int, num_tasks: int, inner: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks
        self.experts = Experts(num_tasks, 1, width, inner)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """states_BLTD."""
        around = hidden_BLD.unsqueeze(-2)
        states_BLTD: Tensor = around + self.experts(around.expand(-1, -1, self.num_tasks, -1))[..., 0, :]
        return states_BLTD
