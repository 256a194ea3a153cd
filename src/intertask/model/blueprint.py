"""A model as it would be: names, types and shapes of its weights, without their numbers."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions


def blueprint(config: ModelConfig, dimensions: Dimensions) -> Model:
    """A model whose weights have names, types and shapes, and no numbers.

    Nothing is allocated for them, and no random number is drawn.

    Raises:
        RecipeError: Parts that do not fit each other or the data.
    """
    with torch.device("meta"), _Undrawn():
        return Model(config, dimensions)


_KEEPING = ("mul", "div", "add", "sub", "pow", "log", "cumsum", "float")  # of one shape, given one number


class _Undrawn(TorchFunctionMode):
    """Leaves tensors without numbers alone: to draw none PyTorch loads its compiler, for five seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  (the interface is PyTorch's)
        named = kwargs or {}
        filled = named.get("tensor", args[0] if args else None)
        if not (isinstance(filled, Tensor) and filled.is_meta):
            return (torch.empty if func in (torch.randn, torch.rand) else func)(*args, **named)
        draws = getattr(func, "__module__", "") == "torch.nn.init" or func.__name__ in ("normal_", "uniform_")
        keeps = func.__name__ in _KEEPING and all(
            not isinstance(other, Tensor) or other.numel() == 1 for other in args[1:]
        )
        return filled if draws or keeps else func(*args, **named)
