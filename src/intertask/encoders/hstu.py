"""Hierarchical sequential transduction units: attention without softmax, gated by its input.

Source: Zhai et al., "Actions Speak Louder than Words", ICML 2024, equations 1 to 3. Departures: the
relative position bias is clipped at `max_length`, the time buckets double (see `nn.time_buckets`), and the
attention is divided by the number of events seen so far rather than by the longest length, so that
padding and batch composition never change a score. Of rows that are seen whole, distances have no direction
and all places are those that are seen.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from intertask.encoders._attentive import AttentiveConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.layout import Layout


class Config(AttentiveConfig):
    """A stack of HSTU layers."""

    kind: Literal["hstu"] = "hstu"

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The encoder."""
        return Encoder(self, dimensions)


class Encoder(nn.Module):
    """Layers that share nothing but the input; each head has a bias by distance, and one by time."""

    def __init__(self, config: Config, dimensions: Dimensions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Layer(dimensions.width, config.num_heads, config.dropout, dimensions.max_length)
            for _ in range(config.num_layers)
        )
        self.time_bias = config.build_time_bias()
        self.norm = nn.LayerNorm(dimensions.width)

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """Encoded states."""
        bias_BHLL = None if self.time_bias is None else self.time_bias(layout)
        for layer in self.layers:
            hidden_BLD = layer(hidden_BLD, bias_BHLL, layout)
        encoded_BLD: Tensor = self.norm(hidden_BLD)
        return encoded_BLD


class Layer(nn.Module):
    """One unit."""

    def __init__(self, width: int, num_heads: int, dropout: float, max_length: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.max_length = max_length
        self.norm_in = nn.LayerNorm(width)
        self.project_in = nn.Linear(width, 4 * width)
        self.position_bias = nn.Parameter(torch.zeros(num_heads, max_length))
        self.norm_out = nn.LayerNorm(width)
        self.project_out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(self, hidden_BLD: Tensor, bias_BHLL: Tensor | None, layout: Layout) -> Tensor:
        """hidden + f(norm(attention(hidden)) * gate(hidden))."""
        batch, length, width = hidden_BLD.shape
        projected = functional.silu(self.project_in(self.norm_in(hidden_BLD)))
        gate_BLD, heads = projected[..., :width], projected[..., width:]
        query, key, value = heads.view(batch, length, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        steps = torch.arange(length, device=hidden_BLD.device)
        behind = steps[:, None] - steps
        distance = (behind if layout.causal else behind.abs()).clamp(0, self.max_length - 1)
        logits_BHLL = query @ key.transpose(-1, -2) + self.position_bias[:, distance]
        if bias_BHLL is not None:
            logits_BHLL = logits_BHLL + bias_BHLL
        weights_BHLL = functional.silu(logits_BHLL)
        if layout.causal:
            seen = (steps + 1).to(hidden_BLD.dtype)[:, None]
            weights_BHLL = (weights_BHLL / seen).tril()
        else:
            padding_BL = layout.padding_BL(length)
            if padding_BL is None:
                weights_BHLL = weights_BHLL / length
            else:
                real_BL = ~padding_BL
                shares_BL = real_BL / real_BL.sum(1, keepdim=True)
                weights_BHLL = weights_BHLL * shares_BL[:, None, None, :]
        read_BLD = (weights_BHLL @ value).transpose(1, 2).reshape(batch, length, width)
        change_BLD: Tensor = self.project_out(self.dropout(self.norm_out(read_BLD) * gate_BLD))
        return hidden_BLD + change_BLD
