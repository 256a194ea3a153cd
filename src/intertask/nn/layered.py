"""A pretrained encoder as a part of a model: rates by layer, and lower layers that stay as they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from intertask.nn.rates import LearnsAt
from intertask.texts import pretrained
from intertask.texts.pretrained import Checkpoint


class Layered(nn.Module):
    """An encoder of Hugging Face, built of its config; `own` is the module.

    Args:
        config: As its folder says it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.own = pretrained.build(config)
        self.frozen_layers = 0
        pooler = getattr(self.own, "pooler", None)
        if pooler is not None and any(True for _ in pooler.parameters()):
            setattr(self.own, "pooler", None)  # noqa: B010  (of a task of its training; nobody reads it)

    def freeze(self, layers: int) -> None:
        """Keep so many of the lowest layers, and what lies below them, as they are."""
        self.frozen_layers = layers
        for part in self._frozen():
            part.requires_grad_(False)

    def layers(self) -> Sequence[nn.Module]:
        """Its layers from below; none where they cannot be told from its other parts."""
        config = self.own.config
        counts = (getattr(config, name, None) for name in ("num_hidden_layers", "n_layers"))
        count = next(filter(None, counts), None) or len(getattr(config, "depths", ()))
        for part in self.own.modules():
            if isinstance(part, nn.ModuleList) and len(part) == count:
                return list(part)
        return []

    def _frozen(self) -> list[nn.Module]:
        layers = self.layers()
        above = {id(part) for layer in layers for part in layer.modules()}
        below = [
            part
            for part in self.own.modules()
            if id(part) not in above and not any(id(own) in above for own in part.modules())
        ]
        return [*below, *layers[: self.frozen_layers]]

    def learn_by_layer(self, rate: float, decay: float) -> None:
        """Have each layer learn at `decay` times the rate of the one above it, what lies below slowest."""
        layers = self.layers()
        vars(self)["learns_at"] = _all(self, rate * decay ** (len(layers) + 1))
        for place, layer in enumerate(layers):
            vars(layer)["learns_at"] = _all(layer, rate * decay ** (len(layers) - 1 - place))

    def take_weights(self, checkpoint: Checkpoint) -> None:
        """Take the weights of a folder."""
        given = checkpoint.load().state_dict()
        with torch.no_grad():
            for name, weight in self.own.named_parameters():
                weight.copy_(given[name])
            for name, mean in self.own.named_buffers():  # such as the running means of a normalisation
                if name in given:
                    mean.copy_(given[name])

    def train(self, mode: bool = True) -> "Layered":
        """As any module, except that frozen layers drop nothing."""
        super().train(mode)
        if self.frozen_layers:
            for part in self._frozen():
                part.eval()
        return self


def _all(part: nn.Module, rate: float) -> LearnsAt:
    return LearnsAt(rate, tuple(name for name, weight in part.named_parameters() if weight.requires_grad))
