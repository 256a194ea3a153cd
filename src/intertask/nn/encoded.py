"""What stands between the trunk of a model and the exchange of its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from intertask.nn.layout import Layout


@dataclass(frozen=True)
class Encoded:
    """What a trunk gives of a batch, and all that an exchange reads of it.

    Args:
        hidden_BLD: Of the encoder.
        layout: Where its places stand.
        marks_BLD: What may be remembered of each place, for a communication that remembers; None for others,
            and where there is nothing to remember.
    """

    hidden_BLD: Tensor
    layout: Layout
    marks_BLD: Tensor | None = None

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """What tasks push on."""
        return (self.hidden_BLD,) if self.marks_BLD is None else (self.hidden_BLD, self.marks_BLD)

    def with_parts(self, parts: Sequence[Tensor]) -> "Encoded":
        """The same places with other tensors, in the order of `parts`."""
        return Encoded(parts[0], self.layout, *parts[1:])
