"""A pretrained encoder as a part of a model: rates by layer, and layers that stay as they are."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from intertask.nn.rates import LearnsAt
from intertask.texts import pretrained
from intertask.texts.pretrained import Checkpoint

_WORDS = re.compile(r"(^|\.)(word_embeddings|tok_embeddings|embed_tokens)\.weight$")


class Backbone(nn.Module):
    """Encodes padded tokens.

    Args:
        config: Of the encoder, as its folder says it.
        frozen_layers: So many of the lowest layers, and the vectors of tokens, stay as they are.
    """

    def __init__(self, config: Mapping[str, Any], frozen_layers: int = 0) -> None:
        super().__init__()
        self.own = pretrained.build(config)
        if getattr(self.own, "pooler", None) is not None:
            setattr(self.own, "pooler", None)  # noqa: B010  (of a task of its training; nobody reads it)
        self.width = int(config.get("hidden_size", config.get("dim", 0)))
        self.padding = int(config.get("pad_token_id") or 0)
        self.frozen_layers = frozen_layers
        if frozen_layers:
            for part in self._frozen():
                part.requires_grad_(False)

    def layers(self) -> Sequence[nn.Module]:
        """Its layers from below; none where they cannot be told from its other parts."""
        count = getattr(self.own.config, "num_hidden_layers", None) or getattr(self.own.config, "n_layers", 0)
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
        """Have each layer learn at `decay` times the rate of the one above it, vectors of tokens slowest."""
        layers = self.layers()
        vars(self)["learns_at"] = _all(self, rate * decay ** (len(layers) + 1))
        for place, layer in enumerate(layers):
            vars(layer)["learns_at"] = _all(layer, rate * decay ** (len(layers) - 1 - place))

    def take_weights(self, checkpoint: Checkpoint, kept: Sequence[int] | None) -> None:
        """Take the weights of a folder, of tokens those in use alone."""
        given = checkpoint.load().state_dict()
        with torch.no_grad():
            for name, weight in self.own.named_parameters():
                source = given[name]
                if kept is not None and _WORDS.search(name):
                    source = source[torch.tensor(kept)]
                weight.copy_(source)

    def train(self, mode: bool = True) -> "Backbone":
        """As any module, except that frozen layers drop nothing."""
        super().train(mode)
        if self.frozen_layers:
            for part in self._frozen():
                part.eval()
        return self

    def forward(self, codes_BL: Tensor, real_BL: Tensor, more_BLD: Tensor | None = None) -> Tensor:
        """The state of each token.

        Args:
            codes_BL: int64.
            real_BL: Where there is one.
            more_BLD: Is added to the vectors of the tokens.
        """
        mask = None if bool(real_BL.all()) else real_BL.long()
        if more_BLD is None:
            states_BLD: Tensor = self.own(input_ids=codes_BL, attention_mask=mask)[0]
            return states_BLD
        table = self.own.get_input_embeddings()  # type: ignore[operator]
        vectors_BLD = table(codes_BL) + more_BLD
        states_BLD = self.own(inputs_embeds=vectors_BLD, attention_mask=mask)[0]
        return states_BLD


def _all(part: nn.Module, rate: float) -> LearnsAt:
    return LearnsAt(rate, tuple(name for name, weight in part.named_parameters() if weight.requires_grad))
