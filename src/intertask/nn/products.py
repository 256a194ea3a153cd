"""Products of float32 matrices that have the same shape again and again.

On a CPU PyTorch leaves `mm` to MKL, which on processors that are not Intel's takes its slow path: 170 GFLOP/s
on an AMD EPYC with two threads, where oneDNN, which PyTorch brings along too, does 400. oneDNN compiles a
kernel for each new shape, so that it pays for shapes that come often alone. Knows nothing of what is
multiplied.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

Product = Callable[[Tensor, Tensor], Tensor]


def onednn(like: Tensor) -> Product | None:
    """left_NK, right_MK -> left @ right.T without a gradient, by oneDNN; None where it can't be had.

    Args:
        like: A matrix as will be multiplied; the second may be in any memory order.
    """
    fits = like.dtype == torch.float32 and like.device.type == "cpu" and torch.backends.mkldnn.enabled
    return _linear() if fits else None


@cache
def _linear() -> Product | None:
    """What PyTorch's own compiler calls for a linear layer on a CPU.

    There is no public name for it: it may be missing, or want other arguments, which one product tells.
    """
    operator: Callable[..., Tensor] | None = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if operator is None:
        return None

    def product(left_NK: Tensor, right_MK: Tensor) -> Tensor:
        return operator(left_NK, right_MK, None, "none", [], "")

    try:
        made = product(torch.ones(2, 3), torch.ones(4, 3))
    except (RuntimeError, TypeError):
        return None
    return product if torch.equal(made, torch.full((2, 4), 3.0)) else None
