"""Texts as sequences: of tokens or of words, with a pretrained encoder or with vectors of one's own.

The reader is fitted on the rows that train alone: a vocabulary of its own, or the tokenizer of a pretrained
encoder. What does not fit into `max_tokens` tokens is cut off, counted and said.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from intertask.data.fetch import cache
from intertask.data.rows import Rows
from intertask.data.seam import INPUT, Fields
from intertask.errors import DataError, RecipeError
from intertask.inputs import Embedded, InputConfig
from intertask.inputs import Input as AnyInput
from intertask.inputs import Reader as AnyReader
from intertask.inputs import _pieces as pieces
from intertask.inputs._texts import Reader
from intertask.inputs._tokens import Tokens, padded
from intertask.nn.backbone import Backbone
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems
from intertask.nn.layout import Layout
from intertask.nn.letters import Letters
from intertask.nn.pairs import Pairs
from intertask.texts.activations import Activations
from intertask.texts.configs import longest
from intertask.texts.pretrained import Checkpoint, find, require_transformers
from intertask.texts.tokens import NUM_CASES
from intertask.texts.vocabulary import Vocabulary
from intertask.texts.vocabulary import fitted as own_vocabulary

RATE = 1e-4  # of a pretrained encoder that is given none
SHOWN = 20  # columns that a message names


class Config(InputConfig):
    """How texts become vectors.

    Args:
        columns: The columns of texts that are read, one text behind the other; all if left out.
        pretrained: A folder, or a name on the hub, of an encoder in the form of Hugging Face, whose weights
            are safetensors. Its weights become part of the model; the folder is needed to train alone. It
            learns at 1e-4 where `learning_rate` is left out. Without it the vectors of tokens are learned
            from nothing, and the encoder of the recipe reads them.
        layer_decay: Each layer of a pretrained encoder learns at this share of the rate of the one above it.
        frozen_layers: So many of its lowest layers, and its vectors of tokens, stay as they are. What they
            make of training texts is kept in INTERTASK_CACHE, so that they see each once.
        max_tokens: Most tokens of a text, those that the encoder adds included; what is behind is cut off.
        vocabulary: Without a pretrained encoder: "pieces" of words, whole "words", or "characters".
        vocabulary_size: Most tokens of a vocabulary of one's own.
        at_least: A token that fewer training texts have is unknown there.
        lower: Read capital letters as small ones there.
        case: Learn how words are written, such as in capitals, beside what they say.
        letters: Width of what is learned of the letters of each word; 0 reads none.
        pairs: Rows of a table of vectors of tokens that stand side by side, looked up by their hash; 0 has
            none. They are for tokens that say little by themselves, such as characters of Chinese.
        context: So many texts before and behind each are read with it, where rows keep the order of a
            document; of other groups none. They take at most the room that `max_tokens` leaves.
        dropout: Share of the numbers of a vector that training drops.
    """

    kind: Literal["text"] = "text"
    columns: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=100)
    pretrained: str | None = Field(default=None, min_length=1, max_length=1_000)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    frozen_layers: int = Field(default=0, ge=0, le=1_000)
    max_tokens: int = Field(default=128, ge=4, le=8_192)
    vocabulary: Vocabulary = "pieces"
    vocabulary_size: int = Field(default=8_000, ge=10, le=1_000_000)
    at_least: int = Field(default=2, ge=1, le=10**9)
    lower: bool = True
    case: bool = False
    letters: int = Field(default=0, ge=0, le=1_024)
    pairs: int = Field(default=0, ge=0, le=10_000_000)
    context: int = Field(default=0, ge=0, le=100)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _slow(cls, given: object) -> object:
        if isinstance(given, Mapping) and given.get("pretrained") and given.get("learning_rate") is None:
            return {**given, "learning_rate": RATE}
        return given

    @model_validator(mode="after")
    def _layers_of_an_encoder(self) -> "Config":
        if self.pretrained is None and (self.layer_decay < 1 or self.frozen_layers):
            raise ValueError("layer_decay and frozen_layers with pretrained alone")
        return self

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: A column is no text, or there is no such encoder.
            DataError: All texts are empty.
        """
        if self.pretrained is None:
            return self._fitted(rows, None)
        return self._fitted(rows, find(self.pretrained))

    def refit(self, rows: Rows, known: AnyReader) -> "Reader":
        """The same by the encoder that a reader knows, whose folder may be gone."""
        if self.pretrained is None or not isinstance(known, Reader):
            return self.fit(rows)
        return known.counted(rows, self._columns(rows))

    def _fitted(self, rows: Rows, checkpoint: Checkpoint | None) -> "Reader":
        columns = self._columns(rows)
        texts = pieces.texts(rows, columns)
        if not any(word.strip() for words in texts for word in words):
            raise DataError(rows.report.source, "texts in the training rows", "empty ones alone")
        require_transformers()
        most = self.max_tokens
        if checkpoint is None:
            tokenizer = own_vocabulary(
                texts, self.vocabulary, self.vocabulary_size, self.at_least, self.lower
            )
        else:
            tokenizer = checkpoint.tokenizer
            most = min(most, longest(checkpoint.config))
        reader = Reader(
            texts=columns,
            unit=pieces.unit(texts),
            tokenizer=tokenizer.to_str(),
            encoder=None if checkpoint is None else checkpoint.config,
            weights=None if checkpoint is None else checkpoint.digest,
            max_tokens=most,
            context=self.context,
            case=self.case,
            alphabet=pieces.alphabet(texts) if self.letters else "",
        )
        return reader.counted(rows, columns)

    def _columns(self, rows: Rows) -> tuple[str, ...]:
        there = [*rows.texts, *rows.categories]
        wanted = self.columns or rows.texts or rows.categories
        for name in wanted:
            if name not in there:
                known = ", ".join(map(repr, there[:SHOWN])) or "texts"
                raise RecipeError("[input] columns", f"texts of the rows, as {known}", repr(name))
        if not wanted:
            raise RecipeError("[input] kind", "rows with a column of texts", "none", "name it: texts = [...]")
        return tuple(wanted)

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Input":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        built = Input(self, reader, dimensions.width)
        if built.backbone is not None and self.frozen_layers > len(built.backbone.layers()):
            most = len(built.backbone.layers())
            raise RecipeError(
                "[input] frozen_layers", f"{most} at most, as many as there are", str(self.frozen_layers)
            )
        return built

    def prepare(self, part: AnyInput) -> None:
        """Take the weights of the pretrained encoder."""
        assert isinstance(part, Input)
        if self.pretrained is not None and part.backbone is not None:
            checkpoint = find(self.pretrained)
            part.backbone.take_weights(checkpoint)
            if self.frozen_layers and part.case_in is None:
                told = f"{checkpoint.digest} {self.frozen_layers}".encode()
                folder = cache() / f"layers-{hashlib.sha256(told).hexdigest()[:32]}"
                part.backbone.kept = Activations(folder)

    def keep_rates(self, part: AnyInput, others: Iterable[Tensor]) -> None:
        """Have a pretrained encoder learn at its own rate, layer by layer; what is new at that of [train]."""
        assert isinstance(part, Input)
        if part.backbone is None or self.learning_rate is None:
            super().keep_rates(part, others)
            return
        if self.learning_rate == 0:
            part.backbone.requires_grad_(False)
        else:
            part.backbone.learn_by_layer(self.learning_rate, self.layer_decay)


class Input(AnyInput):
    """Makes a vector of each token, or of each word from its first token.

    Args:
        config: Options.
        reader: Knows the sizes.
        width: Of a vector.
    """

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__()
        self.backbone: Backbone | None = None
        if reader.encoder is not None:
            self.backbone = Backbone(reader.encoder, config.frozen_layers)
            inner = self.backbone.width
            self.into = nn.Linear(inner, width) if inner != width else nn.Identity()
        else:
            inner = width
            self.words = nn.Embedding(reader.num_tokens, width)
            self.places = nn.Embedding(reader.max_tokens, width)
            nn.init.normal_(self.words.weight, std=INITIAL_DEVIATION)
            nn.init.normal_(self.places.weight, std=INITIAL_DEVIATION)
        self.case_in = nn.Embedding(NUM_CASES, inner) if reader.case and not config.frozen_layers else None
        self.case_out = nn.Embedding(NUM_CASES, width) if reader.case else None
        for own in (self.case_in, self.case_out):
            if own is not None:
                nn.init.zeros_(own.weight)
        self.letters = Letters(2 + len(reader.alphabet), config.letters, width) if reader.alphabet else None
        self.pairs = Pairs(config.pairs, width) if config.pairs else None
        self.dropout = Dropout(config.dropout)

    def forward(self, fields: Fields) -> Embedded:
        """The sequence."""
        assert isinstance(fields, Tokens)
        real_BL = fields.real_BL
        hidden_BLD = self._hidden(fields, real_BL)
        # Words stand where their first token stands.
        begins_BL = padded(fields.begins_N, real_BL)
        lengths_B = begins_BL.sum(1)
        if not torch.equal(lengths_B, fields.lengths_B):
            steps = torch.arange(int(lengths_B.max()), device=lengths_B.device)
            hidden_BLD = padded(hidden_BLD[begins_BL], steps < lengths_B[:, None])
        return Embedded(hidden_BLD, Layout(lengths_B=lengths_B, causal=False))

    def _hidden(self, fields: Tokens, real_BL: Tensor) -> Tensor:
        filler = 0 if self.backbone is None else self.backbone.padding
        codes_BL = padded(fields.codes_N, real_BL, filler)
        cases_BL = None if fields.cases_N is None else padded(fields.cases_N, real_BL)
        more = None if self.case_in is None or cases_BL is None else self.case_in(cases_BL)
        if self.backbone is not None:
            hidden_BLD: Tensor = self.dropout(self.into(self.backbone(codes_BL, real_BL, more)))
        else:
            places_L = torch.arange(codes_BL.shape[1], device=codes_BL.device)
            hidden_BLD = self.words(codes_BL) + self.places(places_L)
            hidden_BLD = self.dropout(hidden_BLD if more is None else hidden_BLD + more)
        if self.case_out is not None and cases_BL is not None:
            hidden_BLD = hidden_BLD + self.case_out(cases_BL)
        if self.letters is not None and fields.letters_NL is not None:
            hidden_BLD = hidden_BLD + self.letters(padded(fields.letters_NL, real_BL))
        if self.pairs is not None:
            hidden_BLD = hidden_BLD + self.dropout(self.pairs(codes_BL, real_BL))
        return hidden_BLD
