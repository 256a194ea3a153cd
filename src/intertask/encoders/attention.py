"""Causal self-attention: pre-norm, gated residual, SwiGLU.

Source: eSASRec (Tikhonovich et al., RecSys 2025), whose LiGR blocks (Borisyuk et al., 2025) these are.
"""

from typing import Literal

from intertask.encoders._attentive import TransformerConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.transformer import TransformerStack


class Config(TransformerConfig):
    """A stack of transformer blocks."""

    kind: Literal["attention"] = "attention"

    def build(self, dimensions: Dimensions) -> TransformerStack:
        """The encoder."""
        return self.build_stack(dimensions)
