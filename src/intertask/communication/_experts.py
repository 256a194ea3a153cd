"""The options that all mechanisms with experts have."""

from pydantic import Field

from intertask.communication import CommunicationConfig
from intertask.nn.experts import Experts


class ExpertsConfig(CommunicationConfig):
    """Options of experts.

    Args:
        inner: Width of an expert's hidden layer; the model's width where left out.
        residual: Whether an expert adds to what it reads. In the papers it does not, where experts read
            fields side by side. A sequence encoder's output already asks for an item: an expert that begins
            at random hides that, and rare tasks never find it again (docs/decisions.md).
    """

    inner: int | None = Field(default=None, ge=1)
    residual: bool = True

    def experts(self, num_groups: int, num_experts: int, width: int) -> Experts:
        """Groups of experts in a model of some width."""
        return Experts(num_groups, num_experts, width, self.inner or width, residual=self.residual)
