"""Progressive layered extraction: own experts, shared experts, and a gate for each task; stacked.

Source: Tang et al., "Progressive Layered Extraction (PLE)", RecSys 2020, equations 1 to 8; one level is
their CGC. In the equation of the design: own and shared experts, A masked to them.
"""

from typing import Literal

from torch import nn

from intertask.communication._extraction import Extraction, ExtractionConfig
from intertask.nn.dimensions import Dimensions


class Config(ExtractionConfig):
    """Options of layered extraction."""

    kind: Literal["ple"] = "ple"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The mechanism."""
        return Extraction(self, dimensions.width, len(dimensions.tasks), foreign=False)
