"""Cross-entropy over the whole catalogue, in chunks: all logits are never in memory at once.

Source: the gradient of cross-entropy is softmax minus one-hot; taking it in the forward pass, chunk by
chunk, is the trick of Liger's fused linear cross-entropy (Hsu et al., 2024), here in plain PyTorch.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from intertask.losses import LossConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import ItemVectors
from intertask.nn.products import onednn

# Float32 numbers of a chunk of logits: 8 MiB stay near the processor, 64 MiB are the most. Between the two,
# 64 rows at least: fewer read the item table too often. 12,101 items: 77 ms at 8 MiB, 100 ms at 24.
LOGITS_IN_CACHE, LOGITS_IN_MEMORY, LEAST_ROWS = 2**21, 2**24, 64


class Config(LossConfig):
    """Options of the loss.

    Args:
        label_smoothing: Share of the target's probability that is spread evenly over all items.
        chunk: Number of positions whose logits are in memory together; fewer if the catalogue is large.
    """

    kind: Literal["full_softmax"] = "full_softmax"
    reads_all_items: ClassVar[bool] = True
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    chunk: int = Field(default=512, ge=1, le=65_536)

    def build(self, dimensions: Dimensions) -> nn.Module:
        """The loss."""
        return Loss(self.label_smoothing, self.chunk)


class Loss(nn.Module):
    """Mean over positions of logsumexp(h . E) - h . ((1 - s) e_target + s mean(E)), s the smoothing."""

    def __init__(self, label_smoothing: float, chunk: int) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.chunk = chunk

    def forward(self, hidden_ND: Tensor, targets_N: Tensor, vectors: ItemVectors) -> Tensor:
        """The mean loss."""
        table_ID = vectors.all()
        if (fused := _fused_cross_entropy(hidden_ND.device)) is not None:
            kernel = fused(label_smoothing=self.label_smoothing, accum_dtype=torch.float32)
            low = _product_dtype(hidden_ND.device) or table_ID.dtype
            loss: Tensor = kernel(table_ID.to(low), hidden_ND.to(low), targets_N)
            return loss
        if torch.is_grad_enabled():
            loss = _Chunked.apply(hidden_ND, targets_N, table_ID, self.chunk)  # type: ignore[no-untyped-call]
        else:
            loss = _Chunked.forward(None, hidden_ND, targets_N, table_ID, self.chunk)
        if self.label_smoothing:
            # The smoothed target is linear in the logits: two products of means, no logits of their own.
            even = hidden_ND.mean(0) @ table_ID.mean(0)
            sharp = (hidden_ND * table_ID[targets_N]).sum(1).mean()
            loss = loss + self.label_smoothing * (sharp - even)
        return loss


def _fused_cross_entropy(device: torch.device) -> Callable[..., nn.Module] | None:
    """Liger's fused kernel for CUDA, where it is installed: `_Chunked` without its passes over memory."""
    if device.type != "cuda" or find_spec("liger_kernel") is None:
        return None
    from liger_kernel.transformers.fused_linear_cross_entropy import LigerFusedLinearCrossEntropyLoss

    fused: Callable[..., nn.Module] = LigerFusedLinearCrossEntropyLoss
    return fused


def _product_dtype(device: torch.device) -> torch.dtype | None:
    """What autocast multiplies in; None where it is off."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else None


class _Chunked(torch.autograd.Function):
    """Products in the precision of autocast where it is on; sums, exponentials and gradients in float32."""

    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, targets_N: Tensor, table_ID: Tensor, chunk: int) -> Tensor:  # noqa: ANN401
        num, low = len(targets_N), _product_dtype(hidden_ND.device)
        few = min(LEAST_ROWS, LOGITS_IN_MEMORY // len(table_ID))
        chunk = max(1, min(chunk, max(few, LOGITS_IN_CACHE // len(table_ID))))
        loss = table_ID.new_zeros(())
        hidden_grad = torch.empty_like(hidden_ND) if ctx is not None else None
        table_grad = torch.zeros_like(table_ID) if ctx is not None else None
        multiplied = table_ID if low is None else table_ID.to(low)  # once, not for each chunk
        # Of whole chunks alone, whose shape does not depend on how many targets a batch has.
        fast = onednn(table_ID) if low is None else None
        # One buffer for all chunks: fresh memory for each cost half as much again as the sums in it.
        buffer = table_ID.new_empty(min(chunk, num), len(table_ID))
        for start in range(0, num, chunk):
            hidden, targets = hidden_ND[start : start + chunk], targets_N[start : start + chunk, None]
            product = fast if len(hidden) == chunk else None
            logits = buffer[: len(hidden)]  # [chunk, D] x [D, I] -> [chunk, I]
            if product is not None:
                logits = product(hidden, table_ID)
            elif low is None:
                torch.mm(hidden, table_ID.T, out=logits)
            else:
                logits.copy_(hidden @ multiplied.T)
            highest = logits.amax(dim=1, keepdim=True)
            loss = loss + (highest - logits.gather(1, targets)).sum()
            exponent = logits.sub_(highest).exp_()
            total = exponent.sum(dim=1, keepdim=True)
            loss = loss + total.log().sum()
            if hidden_grad is None or table_grad is None:
                continue
            # Softmax is exponent / total; dividing narrow matrices spares a pass over the wide one.
            if product is not None:
                hidden_grad[start : start + chunk] = product(exponent, table_ID.T)
                table_grad += product((hidden / total).T.contiguous(), exponent.T).T
            elif low is None:
                torch.mm(exponent, table_ID, out=hidden_grad[start : start + chunk])
                table_grad.addmm_(exponent.T, hidden / total)
            else:
                exponent = exponent.to(low)
                hidden_grad[start : start + chunk] = exponent @ multiplied
                table_grad += exponent.T @ (hidden / total).to(low)
            hidden_grad[start : start + chunk] /= total
        if hidden_grad is not None and table_grad is not None:  # minus one-hot, and the mean
            hidden_grad.sub_(table_ID[targets_N]).div_(num)
            table_grad.index_add_(0, targets_N, hidden_ND.to(table_grad.dtype), alpha=-1).div_(num)
        if ctx is not None:
            ctx.save_for_backward(hidden_grad, table_grad)
        return loss / num

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None, Tensor, None]:  # noqa: ANN401
        hidden_grad, table_grad = ctx.saved_tensors
        return hidden_grad * grads[0], None, table_grad * grads[0], None
