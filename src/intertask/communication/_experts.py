"""The options that all mechanisms with experts have."""

from pydantic import Field

from intertask.communication import CommunicationConfig
from intertask.nn.experts import Experts


class ExpertsConfig(CommunicationConfig):
    """Options of experts.

    Args:
        inner: Width of an expert's hidden layer; the model's width if left out.
        residual: An expert adds to what it reads, unlike in the papers, where experts read fields side by
            side. The output of a sequence encoder already points at an item: a random expert would hide that,
            and rare tasks never find it again (docs/lab/notebook.md).
    """

    inner: int | None = Field(default=None, ge=1, le=65_536)
    residual: bool = True

    def experts(self, num_groups: int, num_experts: int, width: int) -> Experts:
        """Groups of experts in a model of some width."""
        return Experts(num_groups, num_experts, width, self.inner or width, residual=self.residual)
