"""Self-attention blocks with gated residuals."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from intertask.nn.dropout import Dropout
from intertask.nn.layout import Layout
from intertask.nn.time_bias import TimeBias


class GatedResidual(nn.Module):
    """x + sigmoid(W x) * f(norm(x)).

    Source: LiGR (Borisyuk et al., 2025, equation 4), as taken over by eSASRec (Tikhonovich et al., 2025).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, width)

    def forward(self, hidden_BLD: Tensor, change_BLD: Tensor) -> Tensor:
        """The hidden states with the change let through."""
        return hidden_BLD + torch.sigmoid(self.gate(hidden_BLD)) * change_BLD


class SwiGLU(nn.Module):
    """W3 (silu(W1 x) * W2 x). Source: Shazeer, 2020, "GLU variants improve Transformer"."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, inner)  # one product for both is slower: its halves are not contiguous
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)

    def forward(self, hidden_BLD: Tensor) -> Tensor:
        """The transformed states."""
        fed_BLD: Tensor = self.down(functional.silu(self.gate(hidden_BLD)) * self.up(hidden_BLD))
        return fed_BLD


class SelfAttention(nn.Module):
    """Multi-head self-attention in which a position sees what a mask leaves it, or its past."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)

    def forward(self, hidden_BLD: Tensor, mask_BHLL: Tensor | None, *, causal: bool) -> Tensor:
        """Attention.

        Args:
            hidden_BLD: What is read.
            mask_BHLL: Added to the logits before the softmax, or True where a place is seen.
            causal: Without a mask a position sees itself and what came before it; all places otherwise.
        """
        batch, length, width = hidden_BLD.shape
        heads = self.project_in(hidden_BLD).view(batch, length, 3, self.num_heads, -1)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each [B, H, L, D / H]
        out = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask_BHLL,
            is_causal=causal and mask_BHLL is None,
            dropout_p=self.dropout if self.training else 0.0,
        )
        read_BLD: Tensor = self.project_out(out.transpose(1, 2).reshape(batch, length, width))
        return read_BLD


def mask_of(bias_BHLL: Tensor | None, layout: Layout, length: int) -> Tensor | None:
    """What hides from each position what it may not see, with a bias for what it may; None hides nothing.

    The past alone needs no mask where there is no bias: the kernel knows it.
    """
    if layout.causal:
        if bias_BHLL is None:
            return None
        future = torch.ones(length, length, dtype=torch.bool, device=bias_BHLL.device).triu(1)
        return bias_BHLL.masked_fill(future, float("-inf"))
    padding_BL = layout.padding_BL(length)
    if padding_BL is None:
        return bias_BHLL
    hidden_B11L = padding_BL[:, None, None, :]
    return ~hidden_B11L if bias_BHLL is None else bias_BHLL.masked_fill(hidden_B11L, float("-inf"))


class TransformerBlock(nn.Module):
    """Pre-norm attention and SwiGLU, each behind a gated residual."""

    def __init__(
        self, width: int, num_heads: int, inner: int, dropout: float, attention_dropout: float, *, gated: bool
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, num_heads, attention_dropout)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = SwiGLU(width, inner)
        self.dropout = Dropout(dropout)
        self.attention_residual = GatedResidual(width) if gated else torch.add
        self.feed_residual = GatedResidual(width) if gated else torch.add

    def forward(self, hidden_BLD: Tensor, mask_BHLL: Tensor | None, *, causal: bool) -> Tensor:
        """One block."""
        change = self.attention(self.attention_norm(hidden_BLD), mask_BHLL, causal=causal)
        hidden_BLD = self.attention_residual(hidden_BLD, self.dropout(change))
        change = self.feed(self.feed_norm(hidden_BLD))
        block_BLD: Tensor = self.feed_residual(hidden_BLD, self.dropout(change))
        return block_BLD


class TransformerStack(nn.Module):
    """Blocks one after the other, one time bias for all of them, and a last norm."""

    def __init__(self, blocks: list[TransformerBlock], width: int, time_bias: TimeBias | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.time_bias = time_bias
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden_BLD: Tensor, layout: Layout) -> Tensor:
        """Encoded states."""
        bias_BHLL = None if self.time_bias is None else self.time_bias(layout)
        mask_BHLL = mask_of(bias_BHLL, layout, hidden_BLD.shape[1])
        for block in self.blocks:
            hidden_BLD = block(hidden_BLD, mask_BHLL, causal=layout.causal)
        encoded_BLD: Tensor = self.norm(hidden_BLD)
        return encoded_BLD
