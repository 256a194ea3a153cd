"""Texts of items by an encoder whose upper layers learn with the model what follows.

A step reads vectors of all items, and the gradients of all of them are known before any text is encoded. So a
few texts are drawn by how much a step pushes on their items, half of them evenly, and encoded: weighted by
the inverse of their chance, what they pass back to the encoder is in the mean what all texts would pass back.
Their vectors are kept until they are drawn again. The encoder drops nothing, so that a vector is what
evaluation, which encodes all of them, makes of the same weights.

Source: Gao et al., "Scaling deep contrastive learning batch size under memory limited setup", RepL4NLP 2021
(gradients of vectors before those of the encoder); Katharopoulos and Fleuret, "Not all samples are created
equal", ICML 2018 (drawn by gradients). We depart from the first: not all texts are encoded in each step.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from intertask.content.described import Described
from intertask.content.reader import MARK_FROM
from intertask.errors import RecipeError
from intertask.nn.backbone import Backbone
from intertask.nn.rates import LearnsAt
from intertask.texts import pretrained
from intertask.texts.frozen import TOKENS, coded

EVEN = 0.5  # share of the draws that look at no gradient, so that no chance is close to zero


class LearnedTexts(nn.Module):
    """The block of an item's content that its text makes.

    Args:
        described: The items; their texts while they are learned.
        learned_layers: Upper layers of the encoder that learn; the others and the vectors of tokens do not.
        rate: At which they learn.
    """

    mean_E: Tensor
    map_EP: Tensor

    def __init__(self, described: Described, learned_layers: int, rate: float) -> None:
        super().__init__()
        reader = described.reader
        assert reader.found.own is not None and reader.whitening is not None
        self.max_length = reader.found.own.max_length
        self.tokenizer = pretrained.tokenizer_of(reader.tokenizer)
        self.backbone = Backbone(reader.found.own.config)
        layers = len(self.backbone.layers())
        if learned_layers > layers:
            most = f"{layers} at most, as many as there are"
            raise RecipeError("[items] learned_layers", most, str(learned_layers))
        self.backbone.freeze(layers - learned_layers)
        learnt = tuple(name for name, own in self.backbone.named_parameters() if own.requires_grad)
        vars(self.backbone)["learns_at"] = LearnsAt(rate, learnt)
        for name, told in (("mean_E", reader.whitening.mean_E), ("map_EP", reader.whitening.map_EP)):
            self.register_buffer(name, torch.from_numpy(told), persistent=False)
        self.scale = len(reader.found.blocks) ** -0.5
        self.width = reader.found.width
        self.texts = described.texts or []
        there = np.array([bool(text) for text in self.texts], np.bool_)
        self.places = np.flatnonzero(there)
        self.trained_places = np.flatnonzero(there & described.learned_I[: len(there)])

    @cached_property
    def codes(self) -> dict[int, list[int]]:
        """The tokens of each item that has a text."""
        found = self._codes([self.texts[place] for place in self.places])
        return dict(zip(self.places.tolist(), found, strict=True))

    @property
    def items(self) -> Tensor:
        """The items that have a text."""
        return torch.from_numpy(self.places).to(self.mean_E.device)

    @property
    def learning(self) -> bool:
        """Whether the texts of the items are here."""
        return bool(self.texts)

    def forget(self) -> None:
        """Texts are learned no more."""
        self.texts = []

    def train(self, mode: bool = True) -> "LearnedTexts":
        """Nothing is dropped in training: vectors are kept from step to step."""
        del mode
        return super().train(False)

    def learn(self, gradient_IP: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """Pass gradients of the blocks of all items back to the encoder, by those of some.

        Args:
            gradient_IP: Of the loss.
            most: Draws.

        Returns:
            The items that were drawn, and their blocks, [N] and [N, P].
        """
        trained = torch.from_numpy(self.trained_places).to(gradient_IP.device)
        pushed_N = gradient_IP[trained].norm(dim=1)
        total = pushed_N.sum()
        if not bool(total.isfinite()):  # the clipping of gradients says so in a moment
            return trained[:0], gradient_IP[:0]
        if len(trained) <= most:
            drawn, weights = trained, torch.ones(len(trained), device=trained.device)
        else:
            chances_N = EVEN / len(trained) + (1 - EVEN) * pushed_N / total.clamp(min=1e-30)
            found = torch.multinomial(chances_N, most, replacement=True)
            places, times = torch.unique(found, return_counts=True)
            drawn, weights = trained[places], times / (most * chances_N[places])
        blocks_NP = self.blocks(drawn)
        if bool(total):
            torch.autograd.backward(blocks_NP, gradient_IP[drawn] * weights[:, None])
        return drawn, blocks_NP.detach()

    def blocks(self, items: Tensor) -> Tensor:
        """Whitened and of the length of a block, [N] -> [N, P]: as the reader makes them."""
        return self._blocks(self._encoded([self.codes[item] for item in items.tolist()]))

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of other texts, as `content.texts.Vectors` gives them."""
        with torch.no_grad():
            return np.asarray(self._encoded(self._codes(texts)).cpu().numpy(), np.float32)

    def _codes(self, texts: Sequence[str]) -> list[list[int]]:
        return coded(texts, self.tokenizer, self.max_length, self.backbone.padding) if texts else []

    def _blocks(self, vectors_NE: Tensor) -> Tensor:
        white_NP = (vectors_NE - self.mean_E) @ self.map_EP
        lengths_N1 = white_NP.norm(dim=1, keepdim=True)
        blocks_NP: Tensor = white_NP / lengths_N1.clamp(min=MARK_FROM) * self.scale
        return blocks_NP

    def _encoded(self, codes: Sequence[list[int]]) -> Tensor:
        """The mean over the tokens of each text, those of like length together, [N, E]."""
        device = self.mean_E.device
        order = sorted(range(len(codes)), key=lambda place: -len(codes[place]))
        made: list[Tensor] = []
        start = 0
        while start < len(order):
            longest = len(codes[order[start]])
            some = [codes[place] for place in order[start : start + max(1, TOKENS // longest)]]
            lengths_N = torch.tensor([len(own) for own in some], device=device)
            ids_NL = nn.utils.rnn.pad_sequence(
                [torch.tensor(own) for own in some], batch_first=True, padding_value=self.backbone.padding
            ).to(device)
            real_NL = torch.arange(longest, device=device) < lengths_N[:, None]
            hidden_NLE = self.backbone(ids_NL, real_NL)
            made.append((hidden_NLE * real_NL[..., None]).sum(1) / lengths_N[:, None])
            start += len(some)
        back = torch.empty(len(order), dtype=torch.int64)
        back[order] = torch.arange(len(order))
        return torch.cat(made)[back.to(device)]
