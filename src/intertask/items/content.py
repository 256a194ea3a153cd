"""What an item is and who it is: its content, and a bounded part of its own that grows with its evidence."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from intertask.content.described import Described, describe
from intertask.data.catalogue import Catalogue
from intertask.errors import RecipeError
from intertask.items import ItemsConfig
from intertask.items._texts import LearnedTexts
from intertask.nn.dimensions import Dimensions
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems, SomeItems
from intertask.texts.pretrained import find

KEPT = "items.features_IF"  # of a model that learns texts, while it is trained
UNBOUNDED = 1e3  # a radius that no part reaches
# The greatest that cost all targets together no more than a hundredth of their best. Sources that count say
# nothing of new items, so that a mixture has to raise them further.
UNBOUNDED_BONUS, MIXED_BONUS = 0.75, 1.5


class Config(ItemsConfig):
    """Options of vectors that are made of the catalogue: texts, categories, tags, numbers and given vectors.

    An item's vector is a linear map of its content plus a part of its own, which is learnt from its events.
    An item without events has none: it is then its content alone. The length of that part may be bounded.

    Args:
        encoder: The frozen encoder of the texts: a name or the folder of a pretrained one, or "hashed" for
            words and parts of words without any.
        strict: Refuse to train where the encoder cannot be had; if not, words and parts of words take its
            place, and a line says so.
        text_width: Numbers that are left of a text's vector.
        whiten: Make the directions of the texts equally wide, by the training items; if not, they are only
            turned.
        radius: Length that the part of its own of an item with many events may have; 0 for none, 1,000 for no
            bound that is ever met.
        evidence: Events at which half of it is reached; 0 gives all of it to an item with one.
        id_dropout: Share of items that a step of training reads by their content alone, so that the content
            learns to stand for an item without events.
        new_item_share: Most places of lists that items without a training event may have together, as a
            share; fewer where they score less. `add_items` says when such places pay.
        new_item_bonus: What is added to the scores of items without a training event, in standard deviations
            of a history's scores. Content alone scores them too low: they have no events that speak for them.
            If left out, 0.75 where nothing bounds the parts of their own of the others (1.5 where a ranker
            mixes the scores), and 0 where something does.
        learned_layers: Upper layers of the encoder of the texts that learn with the model what follows; 0
            for a frozen one. They become part of the model, which then needs the encoder's folder to be
            trained alone.
        texts_per_step: Texts that a step encodes anew; the others keep the vectors of the step that last did.
        learning_rate: Of those layers.
    """

    kind: Literal["content"] = "content"
    reads_catalogue: ClassVar[bool] = True
    encoder: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", min_length=1, max_length=1_000)
    strict: bool = False
    text_width: int = Field(default=128, ge=1, le=4_096)
    whiten: bool = True
    # Measured (docs/decisions/items-from-content): with a bound of 4, evidence of 5 and an id dropout of .2
    # warm and cold items were found less often at any bonus.
    radius: float = Field(default=UNBOUNDED, ge=0, le=UNBOUNDED)
    evidence: float = Field(default=0.0, ge=0, le=1e6)
    id_dropout: float = Field(default=0.0, ge=0, lt=1)
    new_item_share: float = Field(default=1.0, ge=0, le=1)
    new_item_bonus: float | None = Field(default=None, ge=-10, le=10)
    learned_layers: int = Field(default=0, ge=0, le=1_000)
    texts_per_step: int = Field(default=64, ge=1, le=1_000_000)
    learning_rate: float = Field(default=1e-4, gt=0, le=10)

    @property
    def share_of_new(self) -> float:
        """What the recipe says."""
        return self.new_item_share

    def bonus_of_new(self, *, mixed: bool) -> float:
        """What the recipe says; models of former defaults, which were bounded, rank as they did."""
        if self.new_item_bonus is not None:
            return self.new_item_bonus
        if self.radius < UNBOUNDED or self.evidence:
            return 0.0
        return MIXED_BONUS if mixed else UNBOUNDED_BONUS

    def describe(self, catalogue: Catalogue, ids: pl.Series, counts_I: NDArray[np.int64]) -> Described:
        """What the catalogue says of each item."""
        return describe(
            catalogue,
            ids,
            counts_I,
            self.encoder,
            self.text_width,
            scale=self.whiten,
            strict=self.strict,
            learned=bool(self.learned_layers),
        )

    def build(self, dimensions: Dimensions, *, sparse: bool) -> "ContentItems":
        """The vectors; a step reads those of all items, however many its loss reads."""
        described = dimensions.described
        if not isinstance(described, Described) or not described.num_features:
            raise RecipeError(
                "[items] content",
                "a catalogue with text, categories, tags or numbers of the items",
                "none" if described is None else "one of ids alone",
                'add [data.catalogue], hand a catalogue to fit(), or take kind = "table"',
            )
        return ContentItems(self, dimensions, described)

    def prepare(self, items: AllItems) -> None:
        """Take the weights of the encoder, where it learns."""
        if isinstance(items, ContentItems) and items.texts is not None:
            items.texts.backbone.take_weights(find(items.described.reader.found.encoder))


class ContentItems(AllItems):
    """Vectors of items from their content.

    Within a step of training (`begin` to `collect`) all readers share one table of vectors, a leaf of the
    graph: whatever is passed back to it, in however many passes, goes through content and own parts once.
    In evaluation it is computed once for weights that stay as they are.

    Args:
        config: Options.
        dimensions: Sizes of recipe and data.
        described: The content of the items.
    """

    features_IF: Tensor
    rho_I1: Tensor

    def __init__(self, config: Config, dimensions: Dimensions, described: Described) -> None:
        super().__init__()
        self.config, self.described = config, described
        self.content = nn.Linear(described.num_features, dimensions.width)
        nn.init.normal_(self.content.weight, std=INITIAL_DEVIATION)
        nn.init.zeros_(self.content.bias)
        self.own = nn.Embedding(dimensions.num_items, dimensions.width)
        nn.init.zeros_(self.own.weight)
        self.texts: LearnedTexts | None = None
        if described.reader.found.own is not None:
            self.texts = LearnedTexts(described, config.learned_layers, config.learning_rate)
        # What a step has encoded is a part of what a run goes on from.
        features_IF = torch.from_numpy(described.features_IF)
        self.register_buffer("features_IF", features_IF, persistent=self._learning)
        self.register_buffer("rho_I1", _rho(described, config.evidence), persistent=False)
        self._leaf: Tensor | None = None  # of the step that is under way
        self._made: Tensor | None = None  # from it
        self._kept: tuple[tuple[object, ...], Tensor] | None = None  # in evaluation, and of which weights
        self._fresh: tuple[tuple[object, ...], Tensor] | None = None  # the same of content

    def __len__(self) -> int:
        return self.own.num_embeddings

    @property
    def some(self) -> "SomeItems | None":
        """The items that training asks for and against; None where these are all."""
        # Not kept: both would hold each other, and a model that is let go would hold its memory.
        learned_I = torch.from_numpy(self.described.learned_I)
        return None if bool(learned_I.all()) else SomeItems(self, learned_I)

    def train(self, mode: bool = True) -> "ContentItems":
        """Training begins or ends; fused optimisers change weights without a new version of them."""
        self._kept = self._fresh = None
        return super().train(mode)

    def settle(self) -> Described:
        """Read the texts by the encoder as it is at the end of the training."""
        if self._learning:
            assert self.texts is not None
            features_IF = self._content()
            self.texts.forget()
            self.described = replace(self.described, features_IF=features_IF.cpu().numpy(), texts=None)
            self.register_buffer("features_IF", features_IF, persistent=False)
            self._kept = self._fresh = None
        return self.described

    @property
    def _learning(self) -> bool:
        return self.texts is not None and self.texts.learning

    def take(self, described: Described) -> None:
        """Know other evidence of the items; their content stays."""
        self.described, self._kept = described, None
        self.rho_I1.copy_(_rho(described, self.config.evidence))

    def begin(self) -> None:
        """Make the vectors of a step of training; draws which items are read by their content alone."""
        self._made = self._make()
        self._leaf = self._made.detach().requires_grad_()

    def collect(self) -> None:
        """Pass on what readers of the step have passed back, and end it."""
        made, leaf, self._made, self._leaf = self._made, self._leaf, None, None
        if made is not None and leaf is not None and leaf.grad is not None:
            torch.autograd.backward(made, leaf.grad)
            if self.texts is not None and self.texts.learning:
                of_text = slice(0, self.texts.width)
                pushed_IP = leaf.grad @ self.content.weight.detach()[:, of_text]
                drawn, blocks_NP = self.texts.learn(pushed_IP, self.config.texts_per_step)
                self.features_IF[drawn, of_text] = blocks_NP

    @property
    def weight_ID(self) -> Tensor:  # noqa: N802
        """The vectors of all items."""
        if self.training and self._leaf is not None:
            return self._leaf
        if self.training or torch.is_grad_enabled():
            return self._make()
        version = (str(self.features_IF.device), *(weight._version for weight in self.parameters()))
        if self._kept is None or self._kept[0] != version:
            self._kept = version, self._make()
        return self._kept[1]

    def forward(self, items: Tensor) -> Tensor:
        """The vectors of some items."""
        return functional.embedding(items, self.weight_ID)

    def own_share(self, items: Tensor) -> Tensor:
        """How far what is known of an item's id alone may count, 0 to 1: [...] -> [...]."""
        return functional.embedding(items, self.rho_I1).squeeze(-1)

    def of_content(self) -> Tensor:
        """The vectors of all items by their content alone, [I, D]."""
        made: Tensor = self.content(self._content())
        return made

    def _content(self) -> Tensor:
        """The content of all items: in evaluation by the encoder as it is, in training by what is kept."""
        if self.training or self.texts is None or not self.texts.learning:
            return self.features_IF
        weights = self.texts.parameters()
        version = (str(self.features_IF.device), *(weight._version for weight in weights))
        if self._fresh is None or self._fresh[0] != version:
            with torch.no_grad():
                features_IF = self.features_IF.clone()
                items = self.texts.items
                features_IF[items, : self.texts.width] = self.texts.blocks(items)
            self._fresh = version, features_IF
        return self._fresh[1]

    def _make(self) -> Tensor:
        made_ID = self.of_content()
        if not self.config.radius:
            return made_ID
        own_ID = self.own.weight
        # Inside of a ball whatever the weights are, and the weights themselves where they are small.
        share_I1 = self.rho_I1 * torch.rsqrt(1 + own_ID.square().sum(1, keepdim=True) / self.config.radius**2)
        if self.training and self.config.id_dropout:
            kept_I1 = torch.rand(len(self), 1, device=own_ID.device) >= self.config.id_dropout
            share_I1 = share_I1 * kept_I1
        return made_ID + share_I1 * own_ID


def _rho(described: Described, evidence: float) -> Tensor:
    """How much of the radius an item may use, 0 without events, [I, 1]."""
    counts_I = torch.from_numpy(described.evidence_I).double()
    return torch.where(counts_I > 0, counts_I / (counts_I + evidence), 0.0).float()[:, None]


def in_step(model: nn.Module) -> list[ContentItems]:
    """The vectors of a model that are made anew in each step of training."""
    return [part for part in model.modules() if isinstance(part, ContentItems)]
