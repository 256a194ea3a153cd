"""Pictures as sequences: a place for each patch, whose vector says what stands there and where it lies.

The reader is fitted on the rows that train alone. It holds the size, the mode, and mean and deviation of each
channel.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021 (patches); Xiao et al., "Early
Convolutions Help Transformers See Better", NeurIPS 2021 (a small stem of convolutions in their place).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from intertask.data.rows import Rows
from intertask.data.seam import INPUT, Fields
from intertask.errors import DataError, RecipeError
from intertask.inputs import Embedded, InputConfig
from intertask.inputs import Input as AnyInput
from intertask.inputs import Reader as AnyReader
from intertask.inputs._pictures import CHANNELS, Mode, pixels
from intertask.inputs._pixels import MOST_PLACES, Pixels, Reader, Side, spread
from intertask.nn.dimensions import Dimensions
from intertask.nn.dropout import Dropout
from intertask.nn.item_table import INITIAL_DEVIATION, AllItems
from intertask.nn.layout import Layout
from intertask.nn.moved import Movement, moved
from intertask.nn.pictures import PictureBackbone, Pictured, find, form

RATE = 1e-4  # of a pretrained encoder that is given none


class Config(InputConfig):
    """How a picture becomes vectors.

    Args:
        column: The column of files; may be left out where there is one.
        size: Height and width that every picture is drawn to. If left out all must have the same, and others
            are refused.
        mode: "gray" or "colour": what every picture is turned into. If left out all must have the same.
        patch: Pixels of a side of a patch; the picture is filled up at its edges.
        stem: "convolutions" halves the sides step by step, with convolutions that see beyond a patch, so that
            `patch` is a power of two; "patches" maps each patch by itself.
        flip: Training turns every other picture about its vertical axis.
        shift: Training moves pictures by up to so many pixels to each side.
        turn: Training turns them by up to so many degrees.
        zoom: Training makes them larger or smaller by up to this share.
        dropout: Share of the numbers of a vector that training drops.
        pretrained: A folder, or a name on the hub, of an encoder of pictures in the form of Hugging Face,
            such as ViT, ResNet or ConvNeXt, whose weights are safetensors. It takes the place of patches and
            stem, and its weights become part of the model; the folder is needed to train alone. Pictures are
            drawn to the size that it was trained on, if its config says it, and turned into its mode. It
            learns at 1e-4 where `learning_rate` is left out.
        layer_decay: Each layer or stage of it learns at this share of the rate of the one above it.
        frozen_layers: So many of its lowest layers or stages, and what lies below, stay as they are.
    """

    kind: Literal["image"] = "image"
    column: str | None = Field(default=None, max_length=500)
    size: tuple[Side, Side] | None = None
    mode: Mode | None = None
    patch: int = Field(default=4, ge=1, le=256)
    stem: Literal["convolutions", "patches"] = "convolutions"
    flip: bool = False
    shift: int = Field(default=0, ge=0, le=1_000)
    turn: float = Field(default=0.0, ge=0, le=180)
    zoom: float = Field(default=0.0, ge=0, lt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    pretrained: str | None = Field(default=None, min_length=1, max_length=1_000)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    frozen_layers: int = Field(default=0, ge=0, le=1_000)

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

    @model_validator(mode="after")
    def _halves(self) -> "Config":
        if self.stem == "convolutions" and self.patch & (self.patch - 1):
            raise ValueError(f"patch a power of two, as 4, with a stem of convolutions, not {self.patch}")
        return self

    def fit(self, rows: Rows) -> "Reader":
        """The reader of some training rows.

        Raises:
            RecipeError: No column of files, or several and none is named.
            DataError: A picture is damaged, or of another size or mode than the first.
        """
        return self._fitted(rows, None if self.pretrained is None else find(self.pretrained))

    def refit(self, rows: Rows, known: AnyReader) -> "Reader":
        """The same by the encoder that a reader knows, whose folder may be gone."""
        if self.pretrained is None or not isinstance(known, Reader):
            return self.fit(rows)
        return known.model_copy(update={"column": rows.file(self.column, "[input] image")})

    def _fitted(self, rows: Rows, checkpoint: Pictured | None) -> "Reader":
        column = rows.file(self.column, "[input] image")
        found = rows.inputs[column]
        first = found[0]
        wanted, size = self.mode, self.size
        if checkpoint is not None:
            wanted = wanted or ("gray" if checkpoint.channels == 1 else "colour")
            size = size or checkpoint.size
        shown = pixels(first["content"], first["name"], wanted, size)
        mode: Mode = "gray" if len(shown) == 1 else "colour"
        height, width = shown.shape[1:]
        bare = Reader(
            column=column,
            height=height,
            width=width,
            mode=mode,
            patch=self.patch,
            drawn=size is not None,
            turned=wanted is not None,
            means=(0.0,) * len(shown),
            deviations=(1.0,) * len(shown),
        )
        told: dict[str, object] = {}
        if checkpoint is None:
            self._refuse_many(height, width)
        else:
            made = form(checkpoint.config, len(shown), height, width)
            refuse_many(made[0], height, width)
            told = {"encoder": checkpoint.config, "weights": checkpoint.digest, "made": made}
        means, deviations = spread(bare.pixels(found))
        if not float(deviations.max()) > 0:
            raise DataError(rows.report.source, "pictures that differ", "all of one shade")
        told |= {"means": tuple(means.tolist()), "deviations": tuple(deviations.clamp(1.0, 255.0).tolist())}
        if checkpoint is not None and checkpoint.spread is not None:
            told |= dict(zip(("means", "deviations"), checkpoint.spread, strict=True))
        return bare.model_copy(update=told)

    def _refuse_many(self, height: int, width: int) -> None:
        refuse_many(-(-height // self.patch) * -(-width // self.patch), height, width)

    def reader(self, table: object) -> "Reader":
        """The reader that wrote a table of JSON."""
        return Reader.model_validate(table)

    def build(self, dimensions: Dimensions, items: AllItems | None) -> "Shades":
        """The input."""
        reader = dimensions.fields.get(INPUT)
        if not isinstance(reader, Reader):
            raise RecipeError("[input] kind", "an input of a log", repr(self.kind), 'use kind = "events"')
        if (reader.encoder is None) != (self.pretrained is None):
            raise RecipeError("[input] pretrained", "a reader of that encoder", "one of another")
        if reader.encoder is not None:
            return _pretrained(self, reader, dimensions.width)
        self._refuse_many(reader.height, reader.width)
        return Input(self, reader, dimensions.width)

    def prepare(self, part: AnyInput) -> None:
        """Take the weights of the pretrained encoder."""
        if self.pretrained is not None:
            assert isinstance(part, Pretrained)
            part.backbone.take_weights(find(self.pretrained))

    def keep_rates(self, part: AnyInput, others: Iterable[Tensor]) -> None:
        """Have a pretrained encoder learn at its own rate, layer by layer; what is new at that of [train]."""
        if self.learning_rate is None or not isinstance(part, Pretrained):
            super().keep_rates(part, others)
        elif self.learning_rate == 0:
            part.backbone.requires_grad_(False)
        else:
            part.backbone.learn_by_layer(self.learning_rate, self.layer_decay)


def refuse_many(places: int, height: int, width: int) -> None:
    """Refuse more places of a picture than are encoded.

    Raises:
        RecipeError: There are more.
    """
    if places > MOST_PLACES:
        raise RecipeError(
            "[input] patch",
            f"{MOST_PLACES:,} patches at most",
            f"{places:,} of a picture of {height} x {width}",
            "take a larger patch, or a smaller size",
        )


def _pretrained(config: Config, reader: Reader, width: int) -> "Pretrained":
    built = Pretrained(config, reader, width)
    layers = len(built.backbone.layers())
    if config.frozen_layers > layers:
        most = f"{layers} at most, as many as there are"
        raise RecipeError("[input] frozen_layers", most, str(config.frozen_layers))
    return built


class Shades(AnyInput):
    """Pictures as numbers of about 1, moved in training.

    Args:
        config: Options.
        reader: Of the pictures.
    """

    means_C11: Tensor
    deviations_C11: Tensor

    def __init__(self, config: Config, reader: Reader) -> None:
        super().__init__()
        for name, values in (("means_C11", reader.means), ("deviations_C11", reader.deviations)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
        self.movement = Movement(config.flip, config.shift, config.turn, config.zoom)
        self.dropout = Dropout(config.dropout)

    def shades(self, fields: Fields) -> Tensor:
        """[B, C, H, W]."""
        assert isinstance(fields, Pixels)
        told_BCHW = (fields.values_BCHW.float() - self.means_C11) / self.deviations_C11
        return moved(told_BCHW, self.movement) if self.training else told_BCHW


class Pretrained(Shades):
    """A vector for each place that a pretrained encoder gives.

    Args:
        config: Options.
        reader: Of the pictures.
        width: Of a vector.
    """

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__(config, reader)
        assert reader.encoder is not None and reader.made is not None
        self.backbone = PictureBackbone(reader.encoder, config.frozen_layers)
        inner = reader.made[1]
        self.into = nn.Linear(inner, width) if inner != width else nn.Identity()

    def forward(self, fields: Fields) -> Embedded:
        """The sequence."""
        hidden_BLD = self.into(self.backbone(self.shades(fields)))
        return Embedded(self.dropout(hidden_BLD), Layout(causal=False))


class Input(Shades):
    """Embeds patches: what stands there, and in which row and column of the picture.

    Args:
        config: Options.
        reader: Of the pictures.
        width: Of a vector.
    """

    def __init__(self, config: Config, reader: Reader, width: int) -> None:
        super().__init__(config, reader)
        channels = CHANNELS[reader.mode]
        rows, columns = reader.grid
        self.edges = (0, columns * reader.patch - reader.width, 0, rows * reader.patch - reader.height)
        stem = _convolutions if config.stem == "convolutions" else _patches
        self.stem = stem(channels, config.patch, width)
        self.rows_HD = nn.Parameter(torch.randn(rows, width) * INITIAL_DEVIATION)
        self.columns_WD = nn.Parameter(torch.randn(columns, width) * INITIAL_DEVIATION)
        self.scale = width**0.5  # layers need numbers of about 1

    def forward(self, fields: Fields) -> Embedded:
        """A vector for each patch, row by row."""
        stood_BDHW = self.stem(nn.functional.pad(self.shades(fields), self.edges))
        places_HWD = self.rows_HD[:, None] + self.columns_WD
        hidden_BLD = (stood_BDHW.permute(0, 2, 3, 1) + self.scale * places_HWD).flatten(1, 2)
        return Embedded(self.dropout(hidden_BLD), Layout(causal=False))


def _patches(channels: int, patch: int, width: int) -> nn.Module:
    return nn.Conv2d(channels, width, patch, stride=patch)


def _convolutions(channels: int, patch: int, width: int) -> nn.Module:
    """Two convolutions for each halving, the channels growing to the width; one where nothing is halved."""
    layers: list[nn.Module] = []
    halvings = patch.bit_length() - 1
    for step in range(max(1, halvings)):
        out = max(min(8, width), width >> max(0, halvings - 1 - step))
        for stride in (1, 2)[: 1 + (halvings > 0)]:
            layers += [nn.Conv2d(channels, out, 3, stride=stride, padding=1), _norm(out), nn.GELU()]
            channels = out
    return nn.Sequential(*layers, nn.Conv2d(channels, width, 1))


def _norm(channels: int) -> nn.GroupNorm:
    """Of groups of eight channels: it needs no other picture of the batch."""
    return nn.GroupNorm(channels // 8 if channels % 8 == 0 else 1, channels)
