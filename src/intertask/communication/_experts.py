"""The option that all mechanisms with experts have."""

from pydantic import Field

from intertask.communication import CommunicationConfig


class ExpertsConfig(CommunicationConfig):
    """Options of experts.

    Args:
        inner: Width of an expert's hidden layer; the model's width where left out.
    """

    inner: int | None = Field(default=None, ge=1)

    def hidden(self, width: int) -> int:
        """Width of the hidden layer in a model of some width."""
        return self.inner or width
