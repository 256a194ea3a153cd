"""Products of float32 matrices that have the same shape again and again.

On a CPU PyTorch leaves `mm` to MKL, which on processors that are not Intel's takes its slow path: 170 GFLOP/s
where oneDNN, which PyTorch brings along too, does 400. oneDNN compiles a kernel for each new shape, so it is
asked for the shapes that come often alone. Knows nothing of what is multiplied.
"""

import torch
from torch import Tensor

# What PyTorch's own compiler calls for a linear layer on a CPU. There is no public name for it, so that it
# may be missing.
_ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def times_transposed(left_NK: Tensor, right_MK: Tensor, out_NM: Tensor, *, often: bool) -> Tensor:
    """left @ right.T, without a gradient.

    Args:
        left_NK: Any matrix.
        right_MK: Another of its type, in any memory order.
        out_NM: Where it may be written; what is returned is this or fresh.
        often: Whether products of these shapes come again and again.
    """
    fits = left_NK.dtype == torch.float32 and left_NK.device.type == "cpu"
    if often and fits and _ONEDNN is not None:
        product_NM: Tensor = _ONEDNN(left_NK, right_MK, None, "none", [], "")
        return product_NM
    return torch.mm(left_NK, right_MK.T, out=out_NM)
