"""A pretrained encoder as a part of a model: rates by layer, and layers that stay as they are.

What frozen layers make of a text is kept on disk while a model is trained, so that they see each text once.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from intertask.nn.layered import Layered
from intertask.texts.activations import Activations


class Backbone(Layered):
    """Encodes padded tokens.

    Args:
        config: Of the encoder, as its folder says it.
        frozen_layers: So many of the lowest layers, and the vectors of tokens, stay as they are.
    """

    def __init__(self, config: Mapping[str, Any], frozen_layers: int = 0) -> None:
        super().__init__(config)
        self.width = int(config.get("hidden_size", config.get("dim", 0)))
        self.padding = int(config.get("pad_token_id") or 0)
        self._outputs: int | None = None  # of a layer, once it is known
        self.kept: Activations | None = None  # what frozen layers make of texts, while it is trained
        if frozen_layers:
            self.freeze(frozen_layers)

    def train(self, mode: bool = True) -> "Backbone":
        """As any module, except that frozen layers drop nothing."""
        super().train(mode)
        if self.kept is not None and not mode:
            self.kept.flush()
        return self

    def forward(self, codes_BL: Tensor, real_BL: Tensor, more_BLD: Tensor | None = None) -> Tensor:
        """The state of each token.

        Args:
            codes_BL: int64.
            real_BL: Where there is one.
            more_BLD: Is added to the vectors of the tokens.
        """
        mask = None if bool(real_BL.all()) else real_BL.long()
        if more_BLD is None and self.kept is not None:
            return self._by_what_is_kept(self.kept, codes_BL, real_BL, mask)
        if more_BLD is None:
            return self._whole(codes_BL, mask)
        table = self.own.get_input_embeddings()  # type: ignore[operator]
        vectors_BLD = table(codes_BL) + more_BLD
        states_BLD: Tensor = self.own(inputs_embeds=vectors_BLD, attention_mask=mask)[0]
        return states_BLD

    def _whole(self, codes_BL: Tensor, mask: Tensor | None) -> Tensor:
        states_BLD: Tensor = self.own(input_ids=codes_BL, attention_mask=mask)[0]
        return states_BLD

    def _by_what_is_kept(
        self, kept: Activations, codes_BL: Tensor, real_BL: Tensor, mask: Tensor | None
    ) -> Tensor:
        """The same, with what frozen layers made of these texts before."""
        lengths = real_BL.sum(1).tolist()
        keys = [kept.key(codes[:length]) for codes, length in zip(codes_BL, lengths, strict=True)]
        found = [kept.get(key) for key in keys]
        known = [own for own in found if own is not None]
        if len(known) == len(found):
            below_BLD = nn.utils.rnn.pad_sequence(known, batch_first=True).to(codes_BL.device)
            return self._above(below_BLD, codes_BL, mask)
        below: list[Tensor] = []
        layers = self.layers()
        if self.frozen_layers == len(layers):
            states_BLD = self._whole(codes_BL, mask)
            below.append(states_BLD)
        else:
            next_layer = layers[self.frozen_layers]
            hook = next_layer.register_forward_pre_hook(lambda _, given: below.append(given[0]))
            try:
                states_BLD, self._outputs = self._with_outputs(layers[0], codes_BL, mask)
            finally:
                hook.remove()
        if self.training and len(below) == 1 and isinstance(below[0], Tensor):
            for key, states_LD, length in zip(keys, below[0], lengths, strict=True):
                kept.put(key, states_LD[:length])
        return states_BLD

    def _above(self, below_BLD: Tensor, codes_BL: Tensor, mask: Tensor | None) -> Tensor:
        """What the layers above the frozen ones make of what these made."""
        layers, count = self.layers(), self.frozen_layers
        if count == len(layers):
            return below_BLD
        if self._outputs is None:
            with torch.no_grad():
                _, self._outputs = self._with_outputs(layers[0], codes_BL[:1], None)
        passes_on = partial(_passes_on, outputs=self._outputs)
        hook = layers[count].register_forward_pre_hook(lambda _, given: (below_BLD, *given[1:]))
        for layer in layers[:count]:
            vars(layer)["forward"] = passes_on
        try:
            return self._whole(codes_BL, mask)
        finally:
            hook.remove()
            for layer in layers[:count]:
                del vars(layer)["forward"]

    def _with_outputs(self, layer: nn.Module, codes_BL: Tensor, mask: Tensor | None) -> tuple[Tensor, int]:
        """The states, and how many outputs a layer has; 0 where it gives no tuple."""
        found: list[object] = []
        hook = layer.register_forward_hook(lambda _, __, given: found.append(given))
        try:
            states_BLD = self._whole(codes_BL, mask)
        finally:
            hook.remove()
        return states_BLD, len(found[0]) if isinstance(found[0], tuple) else 0


def _passes_on(hidden_BLD: Tensor, *_: object, outputs: int, **__: object) -> object:
    """What a layer gives that does nothing, in the form in which it gives it."""
    return (hidden_BLD, *[None] * (outputs - 1)) if outputs else hidden_BLD
