"""STEM: a task reads the experts of all tasks and trains only its own and the shared ones.

Source: Su et al., "STEM: Unleashing the Power of Embeddings for Multi-task Recommendation", AAAI 2024, its
all-forward task-specific-backward gate. In the equation of the design: PLE with a full mask, G = 0 on
foreign experts. Departure: its tables of embeddings for each task are not here; a mechanism lies above
the encoder. With several levels a task pushes on the others' lower experts through the shared ones.
"""

from typing import Literal

from torch import nn

from intertask.communication._extraction import Extraction, ExtractionConfig
from intertask.nn.dimensions import Dimensions


class Config(ExtractionConfig):
    """Options of the gate."""

    kind: Literal["stem"] = "stem"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Extraction(self, dimensions.width, len(dimensions.tasks), foreign=True)
